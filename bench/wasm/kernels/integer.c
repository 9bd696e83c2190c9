// A sieve, and the lengths of Collatz sequences: loops, shifts, bytes of memory.
#include <stdint.h>
#include <string.h>

enum { limit = 1 << 19 };
static uint8_t composite[limit];

uint64_t kernel(void) {
  uint64_t result = 0;
  memset(composite, 0, sizeof composite);
  for (uint32_t i = 2; i < limit; i++) {
    if (composite[i]) continue;
    result += i;
    for (uint32_t j = 2 * i; j < limit; j += i) composite[j] = 1;
  }
  for (uint64_t start = 1; start < 20000; start++) {
    uint64_t n = start;
    while (n != 1) {
      n = (n & 1) ? 3 * n + 1 : n >> 1;
      result++;
    }
  }
  return result;
}
