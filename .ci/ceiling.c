// A responder that does nothing: one epoll loop that answers every request with 200 and two bytes.
// What a machine can serve at all over HTTP on one core; synod's figures stand beside it.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

int main(int count, char **words) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(count > 1 ? atoi(words[1]) : 7900)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) {
    perror("listen");
    return 1;
  }
  int poll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  static char buffer[65536], out[65536];
  for (;;) {
    int ready = epoll_wait(poll, events, 256, -1);
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        int client = accept(listener, NULL, NULL);
        if (client < 0) continue;
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event added = {.events = EPOLLIN, .data.fd = client};
        epoll_ctl(poll, EPOLL_CTL_ADD, client, &added);
        continue;
      }
      ssize_t length = recv(fd, buffer, sizeof buffer, 0);
      if (length <= 0) {
        close(fd);
        continue;
      }
      // A request ends its head with an empty line; the bodies of the benchmark hold none.
      size_t size = 0;
      for (ssize_t at = 0; at + 3 < length; at++)
        if (!memcmp(buffer + at, "\r\n\r\n", 4) && size + sizeof answer < sizeof out) {
          memcpy(out + size, answer, sizeof answer - 1);
          size += sizeof answer - 1;
        }
      if (size && send(fd, out, size, MSG_NOSIGNAL) < 0) close(fd);
    }
  }
}
