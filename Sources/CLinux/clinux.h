// What the Glibc module hides from Swift: epoll, eventfd, signalfd, accept4. Headers only, no code.
#pragma once
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
