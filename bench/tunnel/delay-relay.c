// A path of a given delay, loss and rate between two network namespaces: a TUN device in each, and
// packets that are carried over when their time has come. What netem does, for kernels without it.
//
//   delay-relay NAMESPACE ADDRESS NAMESPACE ADDRESS DELAY_US LOSS RATE_BITS QUEUE_US SEED
//
// Each direction is a line of RATE_BITS whose queue holds QUEUE_US, then DELAY_US of way; LOSS is the
// share that is dropped. Prints "ready" when both devices are up.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { MTU = 1500, SLOTS = 1 << 16 };

struct packet {
  int64_t due;
  uint16_t length;
  unsigned char bytes[MTU + 4];
};

struct line {
  int from, to;
  int64_t free_at;  // when the line has sent all that it has taken
  unsigned head, tail;
  struct packet *ring;
};

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int open_tun(const char *namespace, const char *address) {
  char path[256], command[256];
  snprintf(path, sizeof path, "/run/netns/%s", namespace);
  int space = open(path, O_RDONLY | O_CLOEXEC);
  if (space < 0 || setns(space, CLONE_NEWNET) != 0) { perror(path); exit(1); }
  close(space);
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  struct ifreq request = {0};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  strcpy(request.ifr_name, "path");
  if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0) { perror("tun"); exit(1); }
  snprintf(command, sizeof command,
           "ip address add %s dev path && ip link set path up mtu %d txqueuelen 10000", address, MTU);
  if (system(command) != 0) exit(1);
  return fd;
}

static uint64_t random_state;
static double random_share(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (random_state >> 11) * (1.0 / 9007199254740992.0);
}

int main(int argc, char **argv) {
  if (argc != 10) { fprintf(stderr, "delay-relay: nine arguments are needed\n"); return 2; }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int64_t delay = atoll(argv[5]) * 1000, queue = atoll(argv[8]) * 1000;
  double loss = atof(argv[6]), rate = atof(argv[7]);
  random_state = strtoull(argv[9], NULL, 10) | 1;
  struct line lines[2] = {0};
  int a = open_tun(argv[1], argv[2]), b = open_tun(argv[3], argv[4]);
  lines[0].from = lines[1].to = a;
  lines[0].to = lines[1].from = b;
  for (int i = 0; i < 2; i++) lines[i].ring = malloc(sizeof(struct packet) * SLOTS);
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    int64_t now = now_ns(), next = INT64_MAX;
    for (int i = 0; i < 2; i++) {
      struct line *l = &lines[i];
      for (int n = 0; n < 64; n++) {
        struct packet *p = &l->ring[l->tail % SLOTS];
        ssize_t got = read(l->from, p->bytes, sizeof p->bytes);
        if (got <= 0) break;
        if (l->tail - l->head >= SLOTS - 1 || random_share() < loss) continue;
        int64_t begins = l->free_at > now ? l->free_at : now;
        if (begins - now > queue) continue;
        l->free_at = begins + (int64_t)(got * 8e9 / rate);
        p->due = l->free_at + delay;
        p->length = got;
        l->tail++;
      }
      now = now_ns();
      while (l->head != l->tail && l->ring[l->head % SLOTS].due <= now) {
        struct packet *p = &l->ring[l->head % SLOTS];
        if (write(l->to, p->bytes, p->length) < 0 && errno == EAGAIN) break;
        l->head++;
      }
      if (l->head != l->tail && l->ring[l->head % SLOTS].due < next)
        next = l->ring[l->head % SLOTS].due;
    }
    if (next != INT64_MAX) {
      struct itimerspec at = {.it_value = {next / 1000000000, next % 1000000000}};
      timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
    }
    struct pollfd waits[3] = {{a, POLLIN, 0}, {b, POLLIN, 0}, {timer, POLLIN, 0}};
    poll(waits, 3, -1);
    uint64_t expirations;
    if (read(timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN) return 1;
  }
}
