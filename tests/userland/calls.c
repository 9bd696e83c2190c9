// What cannot be asked of programs that there are: each case prints what it saw.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static sigjmp_buf back;
static char *guarded;

static void on_fault(int number, siginfo_t *info, void *context) {
  (void)context;
  printf("signal %d code %d offset %ld\n", number, info->si_code, (long)((char *)info->si_addr - guarded));
  siglongjmp(back, 1);
}

static void guard(void) {
  guarded = mmap(0, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(guarded + 4096, 4096, PROT_NONE);
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGSEGV, &action, 0);
  sigaction(SIGBUS, &action, 0);
  sigaction(SIGILL, &action, 0);
  guarded[4095] = 1;
  if (!sigsetjmp(back, 1)) guarded[4096] = 1;
  if (!sigsetjmp(back, 1)) printf("%d\n", *(volatile int *)(guarded + 4094));
  mprotect(guarded, 4096, PROT_READ);
  if (!sigsetjmp(back, 1)) guarded[7] = 1;
  printf("kept %d\n", guarded[4095]);
  munmap(guarded + 8192, 4096);
  if (!sigsetjmp(back, 1)) guarded[8192] = 1;
  if (!sigsetjmp(back, 1)) ((void (*)(void))(guarded))();
}

static void on_step(int number, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  (void)number;
  (void)info;
  uc->uc_mcontext.regs[0] = 42;
  uc->uc_mcontext.pc += 4;
}

static void registers(void) {
  struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
  sigaction(SIGTRAP, &action, 0);
  register long x0 __asm__("x0") = 1;
  double before = 1.5;
  __asm__ volatile("brk #1" : "+r"(x0));
  printf("%ld %.1f\n", x0, before);
}

static int recursion(int depth) {
  volatile char frame[4096];
  frame[0] = (char)depth;
  return depth == 0 ? frame[0] : recursion(depth - 1) + frame[0] - (char)depth;
}

static void on_overflow(int number) {
  char here;
  stack_t stack;
  sigaltstack(0, &stack);
  printf("signal %d on the other stack %d\n", number,
         &here >= (char *)stack.ss_sp && &here < (char *)stack.ss_sp + stack.ss_size);
  siglongjmp(back, 1);
}

static void stack(void) {
  printf("deep %d\n", recursion(1000));
  stack_t other = {.ss_sp = malloc(65536), .ss_size = 65536};
  sigaltstack(&other, 0);
  struct sigaction action = {.sa_handler = on_overflow, .sa_flags = SA_ONSTACK};
  sigaction(SIGSEGV, &action, 0);
  if (!sigsetjmp(back, 1)) printf("%d\n", recursion(1 << 20));
}

static int count;
static void on_count(int number) {
  (void)number;
  count++;
}

static void interrupted(void) {
  int pipes[2];
  char byte;
  pipe(pipes);
  struct sigaction action = {.sa_handler = on_count};
  sigaction(SIGALRM, &action, 0);
  struct itimerval soon = {.it_value = {.tv_usec = 20000}};
  setitimer(ITIMER_REAL, &soon, 0);
  ssize_t got = read(pipes[0], &byte, 1);
  printf("read %zd %s, handlers %d\n", got, strerror(errno), count);
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, 0);
  if (fork() == 0) {
    usleep(100000);
    write(pipes[1], "x", 1);
    _exit(0);
  }
  setitimer(ITIMER_REAL, &soon, 0);
  got = read(pipes[0], &byte, 1);
  printf("read %zd %c, handlers %d\n", got, byte, count);
  wait(0);
  sigset_t mask, old;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  sigprocmask(SIG_BLOCK, &mask, &old);
  signal(SIGUSR1, on_count);
  raise(SIGUSR1);
  printf("blocked %d\n", count);
  sigsuspend(&old);
  printf("after sigsuspend %d\n", count);
  raise(SIGUSR1);
  siginfo_t info;
  struct timespec second = {.tv_sec = 1};
  printf("sigtimedwait %d code %d\n", sigtimedwait(&mask, &info, &second), info.si_code);
  second.tv_sec = 0;
  second.tv_nsec = 1000000;
  int result = sigtimedwait(&mask, &info, &second);
  printf("sigtimedwait %d %s\n", result, strerror(errno));
}

static void children(void) {
  int status;
  pid_t child = fork();
  if (child == 0) _exit(7);
  waitpid(child, &status, 0);
  printf("exited %d %d\n", WIFEXITED(status), WEXITSTATUS(status));
  child = fork();
  if (child == 0) raise(SIGTERM);
  waitpid(child, &status, 0);
  printf("signalled %d %d\n", WIFSIGNALED(status), WTERMSIG(status));
  child = fork();
  if (child == 0) {
    raise(SIGSTOP);
    _exit(3);
  }
  waitpid(child, &status, WUNTRACED);
  printf("stopped %d %d\n", WIFSTOPPED(status), WSTOPSIG(status));
  kill(child, SIGCONT);
  waitpid(child, &status, WCONTINUED);
  printf("continued %d\n", WIFCONTINUED(status));
  siginfo_t info = {0};
  waitid(P_PID, child, &info, WEXITED | WNOWAIT);
  printf("waitid %d %d %d\n", info.si_pid == child, info.si_code, info.si_status);
  waitpid(child, &status, 0);
  printf("wait %d %s\n", waitpid(-1, &status, 0), strerror(errno));
  child = vfork();
  if (child == 0) _exit(5);
  waitpid(child, &status, 0);
  printf("vfork %d\n", WEXITSTATUS(status));
  signal(SIGCHLD, SIG_IGN);
  if (fork() == 0) _exit(0);
  printf("ignored %d %s\n", wait(0), strerror(errno));
}

static void shared(void) {
  int *memory = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int file = open("/tmp/shared", O_RDWR | O_CREAT | O_TRUNC, 0600);
  ftruncate(file, 8192);
  char *mapped = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  int private_value = 1;
  if (fork() == 0) {
    memory[0] = 5;
    private_value = 2;
    strcpy(mapped + 4096, "written");
    _exit(0);
  }
  wait(0);
  char text[8] = {0};
  msync(mapped, 8192, MS_SYNC);
  pread(file, text, 7, 4096);
  printf("%d %d %s %s\n", memory[0], private_value, mapped + 4096, text);
  char *more = mremap(mapped, 8192, 16384, MREMAP_MAYMOVE);
  printf("moved %s\n", more + 4096);
  unlink("/tmp/shared");
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn;
static long total;
static __thread int own;

static void *worker(void *argument) {
  int number = (int)(intptr_t)argument;
  for (int round = 0; round < 50; round++) {
    pthread_mutex_lock(&lock);
    while (turn % 4 != number) pthread_cond_wait(&changed, &lock);
    turn++;
    own++;
    total += number;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
  }
  return (void *)(intptr_t)own;
}

static void threads(void) {
  pthread_t ids[4];
  for (int i = 0; i < 4; i++) pthread_create(&ids[i], 0, worker, (void *)(intptr_t)i);
  long sum = 0;
  for (int i = 0; i < 4; i++) {
    void *result;
    pthread_join(ids[i], &result);
    sum += (long)(intptr_t)result;
  }
  printf("turns %d total %ld own %ld %d\n", turn, total, sum, own);
  struct timespec deadline;
  clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_nsec += 10000000;
  if (deadline.tv_nsec >= 1000000000) deadline.tv_sec++, deadline.tv_nsec -= 1000000000;
  pthread_mutex_lock(&lock);
  printf("timed wait %s\n", strerror(pthread_cond_timedwait(&changed, &lock, &deadline)));
}

static void waiting(void) {
  int events = eventfd(0, EFD_NONBLOCK);
  int timer = timerfd_create(CLOCK_MONOTONIC, 0);
  int epoll = epoll_create1(0);
  int pipes[2];
  uint64_t value = 3;
  pipe2(pipes, O_NONBLOCK);
  struct epoll_event watch = {.events = EPOLLIN, .data.u32 = 1};
  epoll_ctl(epoll, EPOLL_CTL_ADD, events, &watch);
  watch.data.u32 = 2;
  watch.events = EPOLLIN | EPOLLET;
  epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[0], &watch);
  watch.data.u32 = 3;
  watch.events = EPOLLIN | EPOLLONESHOT;
  epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &watch);
  printf("again %d\n", epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &watch) == -1 && errno == EEXIST);
  struct epoll_event ready[8];
  printf("none %d\n", epoll_wait(epoll, ready, 8, 0));
  write(events, &value, 8);
  write(events, &value, 8);
  int n = epoll_wait(epoll, ready, 8, -1);
  printf("event %d %u\n", n, ready[0].data.u32);
  read(events, &value, 8);
  printf("value %lu\n", (unsigned long)value);
  printf("empty %zd %s\n", read(events, &value, 8), strerror(errno));
  write(pipes[1], "ab", 2);
  n = epoll_wait(epoll, ready, 8, -1);
  printf("edge %d %u\n", n, ready[0].data.u32);
  printf("edge again %d\n", epoll_wait(epoll, ready, 8, 0));
  struct itimerspec soon = {.it_value = {.tv_nsec = 5000000}};
  timerfd_settime(timer, 0, &soon, 0);
  n = epoll_wait(epoll, ready, 8, -1);
  printf("timer %d %u\n", n, ready[0].data.u32);
  read(timer, &value, 8);
  printf("times %lu\n", (unsigned long)value);
  struct pollfd polled[2] = {{.fd = pipes[0], .events = POLLIN}, {.fd = pipes[1], .events = POLLOUT}};
  printf("poll %d %x %x\n", poll(polled, 2, -1), polled[0].revents, polled[1].revents);
  close(pipes[1]);
  char text[4];
  printf("rest %zd\n", read(pipes[0], text, 4));
  printf("hangup %d %x\n", poll(polled, 1, 0), polled[0].revents);
  fd_set set;
  FD_ZERO(&set);
  FD_SET(pipes[0], &set);
  struct timeval none = {0};
  printf("select %d\n", select(pipes[0] + 1, &set, 0, 0, &none));
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR2);
  sigprocmask(SIG_BLOCK, &mask, 0);
  int signals = signalfd(-1, &mask, 0);
  kill(getpid(), SIGUSR2);
  struct signalfd_siginfo info;
  printf("signalfd %zd", read(signals, &info, sizeof info));
  printf(" %u\n", info.ssi_signo);
}

static void sockets(void) {
  int pair[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
  char control[CMSG_SPACE(sizeof(int))] = {0};
  char text[16] = "with a file";
  struct iovec part = {text, 11};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  int pipes[2];
  pipe(pipes);
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &pipes[1], sizeof(int));
  printf("sent %zd\n", sendmsg(pair[0], &message, 0));
  close(pipes[1]);
  memset(text, 0, sizeof text);
  memset(control, 0, sizeof control);
  part.iov_len = sizeof text;
  ssize_t got = recvmsg(pair[1], &message, 0);
  int passed;
  memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
  write(passed, "through", 7);
  close(passed);
  char read_back[16] = {0};
  ssize_t piped = read(pipes[0], read_back, 16);
  printf("received %zd %s, %zd %s\n", got, text, piped, read_back);
  shutdown(pair[0], SHUT_WR);
  printf("end %zd\n", read(pair[1], text, 4));
  struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/tmp/socket"};
  unlink(name.sun_path);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  printf("bind %d\n", bind(listener, (struct sockaddr *)&name, sizeof name));
  int other = socket(AF_UNIX, SOCK_STREAM, 0);
  printf("refused %d %s\n", connect(other, (struct sockaddr *)&name, sizeof name), strerror(errno));
  listen(listener, 5);
  if (fork() == 0) {
    connect(other, (struct sockaddr *)&name, sizeof name);
    write(other, "hello", 5);
    _exit(0);
  }
  close(other);
  int accepted = accept(listener, 0, 0);
  printf("accepted %zd\n", recv(accepted, text, 16, MSG_WAITALL));
  wait(0);
  other = socket(AF_UNIX, SOCK_STREAM, 0);
  printf("in use %d %s\n", bind(other, (struct sockaddr *)&name, sizeof name), strerror(errno));
  unlink(name.sun_path);
  signal(SIGPIPE, SIG_IGN);
  close(pair[1]);
  printf("broken %zd %s\n", write(pair[0], "x", 1), strerror(errno));
  int datagrams[2];
  socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams);
  write(datagrams[0], "one", 3);
  write(datagrams[0], "three", 5);
  printf("datagrams %zd %zd\n", read(datagrams[1], text, 2), read(datagrams[1], text, 16));
}

static void locks(void) {
  int file = open("/tmp/locks", O_RDWR | O_CREAT | O_TRUNC, 0600);
  struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 10};
  printf("lock %d\n", fcntl(file, F_SETLK, &range));
  flock(file, LOCK_EX);
  fflush(stdout);
  if (fork() == 0) {
    struct flock asked = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
    fcntl(file, F_GETLK, &asked);
    printf("held %d %ld %ld %d\n", asked.l_type, (long)asked.l_start, (long)asked.l_len, asked.l_pid == getppid());
    asked.l_type = F_WRLCK;
    asked.l_start = 15;
    asked.l_len = 1;
    printf("refused %d %s\n", fcntl(file, F_SETLK, &asked), strerror(errno));
    asked.l_start = 20;
    printf("beside %d\n", fcntl(file, F_SETLK, &asked));
    int again = open("/tmp/locks", O_RDWR);
    printf("flock %d %s\n", flock(again, LOCK_EX | LOCK_NB), strerror(errno));
    fflush(stdout);
    _exit(0);
  }
  wait(0);
  close(file);
  unlink("/tmp/locks");
}

static void terminals(void) {
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  grantpt(master);
  unlockpt(master);
  char *name = ptsname(master);
  printf("named %d\n", strncmp(name, "/dev/pts/", 9));
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    setsid();
    int slave = open(name, O_RDWR);
    char line[32] = {0};
    ssize_t got = read(slave, line, 31);
    dprintf(slave, "got %zd, %s", got, line);
    pause();
  }
  char screen[128] = {0};
  size_t seen = 0;
  write(master, "ax\177b\n", 5);
  while (!strstr(screen, "got") || screen[seen - 1] != '\n') seen += read(master, screen + seen, 127 - seen);
  for (size_t i = 0; i < seen; i++) printf(screen[i] < 32 ? "<%d>" : "%c", screen[i]);
  write(master, "\003", 1);
  int status;
  waitpid(child, &status, 0);
  printf("\nended by %d\n", WTERMSIG(status));
}

static void limits(void) {
  printf("null %d %s\n", open((char *)8, O_RDONLY), strerror(errno));
  printf("write %zd %s\n", write(1, (void *)8, 4), strerror(errno));
  void *reserved = mmap(0, 1 << 28, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  printf("reserved %d\n", reserved != MAP_FAILED);
  int directory = open("/tmp", O_RDONLY | O_DIRECTORY);
  mkdirat(directory, "folder", 0700);
  printf("exists %d %s\n", mkdirat(directory, "folder", 0700), strerror(errno));
  int removed = openat(directory, "folder", O_RDONLY | O_DIRECTORY);
  unlinkat(directory, "folder", AT_REMOVEDIR);
  printf("removed %d %s\n", openat(removed, "file", O_CREAT | O_WRONLY, 0600), strerror(errno));
  int file = open("/tmp/sparse", O_RDWR | O_CREAT | O_TRUNC, 0600);
  pwrite(file, "end", 3, 10000);
  unlink("/tmp/sparse");
  struct stat about;
  fstat(file, &about);
  printf("unlinked %ld %lu\n", (long)about.st_size, (unsigned long)about.st_nlink);
  lseek(file, -3, SEEK_END);
  char text[8] = {0};
  printf("at the end %zd %s\n", read(file, text, 8), text);
  struct timespec times[2] = {{.tv_sec = 5}, {.tv_nsec = UTIME_OMIT}};
  futimens(file, times);
  fstat(file, &about);
  printf("time %ld\n", (long)about.st_atime);
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*run)(void);
  } cases[] = {{"guard", guard},       {"registers", registers}, {"stack", stack},   {"interrupted", interrupted},
               {"children", children}, {"shared", shared},       {"threads", threads}, {"waiting", waiting},
               {"sockets", sockets},   {"locks", locks},         {"terminals", terminals}, {"limits", limits}};
  setvbuf(stdout, 0, _IOLBF, 0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (argc > 1 && strcmp(argv[1], cases[i].name) == 0) {
      cases[i].run();
      return 0;
    }
  }
  return 99;
}
