// Runs a kernel as often as it is told and prints, for each time, nanoseconds and result.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

uint64_t kernel(void);

int main(int count, char **words) {
  int rounds = count > 1 ? atoi(words[1]) : 1;
  for (int round = 0; round < rounds; round++) {
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    uint64_t result = kernel();
    clock_gettime(CLOCK_MONOTONIC, &to);
    long long took = (to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec;
    printf("%lld %016llx\n", took, (unsigned long long)result);
  }
  return 0;
}
