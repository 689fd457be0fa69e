// What the Glibc module hides from Swift: epoll, eventfd, signalfd, accept4 and others. Headers only, no code.
//
// _GNU_SOURCE stays undefined here: with it the same headers would be parsed in two ways, here and in the Glibc module,
// and the two would clash. What glibc declares only under it is declared by hand below, as in its headers.
#pragma once
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/types.h>

int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);
int fallocate(int descriptor, int mode, off_t offset, off_t length);
int pthread_setname_np(pthread_t thread, const char *name);
int sync_file_range(int descriptor, off_t offset, off_t count, unsigned int flags);

// prctl takes a variable number of arguments, which Swift cannot call.
#include <sys/prctl.h>
static inline int synod_signal_when_parent_dies(int signal) { return prctl(PR_SET_PDEATHSIG, signal); }
static inline int synod_set_timer_slack(unsigned long nanoseconds) { return prctl(PR_SET_TIMERSLACK, nanoseconds); }

// O_DIRECT stands behind _GNU_SOURCE too; this is what glibc makes it of.
#include <fcntl.h>
static inline int synod_o_direct(void) { return __O_DIRECT; }

// Asks the scheduler for short slices (Linux 6.12 and later, sched(7)): a thread that runs for microseconds at a time then does
// not wait for the end of another's slice. Older kernels ignore it. glibc has no wrapper.
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>
static inline int synod_ask_for_slices(uint64_t nanoseconds) {
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
  } attributes = {.size = 48, .runtime = nanoseconds};
  return (int)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

// By hand: glibc's declaration brings a timespec along, which the Glibc module has too, and then neither is visible.
static inline int synod_epoll_wait(int descriptor, struct epoll_event *events, int capacity, uint64_t nanoseconds) {
  struct {
    int64_t seconds, nanoseconds;
  } time = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  return (int)syscall(SYS_epoll_pwait2, descriptor, events, capacity, &time, 0, 0);
}

// Behind _GNU_SOURCE too.
int setns(int descriptor, int type);
static inline int synod_clone_newnet(void) { return 0x40000000; }
