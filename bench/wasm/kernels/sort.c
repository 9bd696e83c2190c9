// The C library's qsort of numbers, which calls back to compare, and a heap sort without calls.
#include <stdint.h>
#include <stdlib.h>

enum { count = 30000 };
static uint64_t numbers[count], heap[count];

static int compare(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static void sink(uint64_t *all, int at, int end) {
  for (int child; (child = 2 * at + 1) < end; at = child) {
    if (child + 1 < end && all[child] < all[child + 1]) child++;
    if (all[at] >= all[child]) return;
    uint64_t moved = all[at];
    all[at] = all[child];
    all[child] = moved;
  }
}

uint64_t kernel(void) {
  uint64_t state = 88172645463325252u;
  for (int i = 0; i < count; i++) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    numbers[i] = heap[i] = state;
  }
  qsort(numbers, count, sizeof *numbers, compare);
  for (int i = count / 2 - 1; i >= 0; i--) sink(heap, i, count);
  for (int end = count - 1; end > 0; end--) {
    uint64_t last = heap[end];
    heap[end] = heap[0];
    heap[0] = last;
    sink(heap, 0, end);
  }
  uint64_t result = 0;
  for (int i = 0; i < count; i++) result = result * 31 + (numbers[i] ^ (heap[i] << 1));
  return result;
}
