// An interpreter of a made-up machine, as those of scripts are: branches through a table, and calls.
#include <stdint.h>

enum { push, add, sub, dup, swap, less, jumpIfZero, jump, call, ret, stop };

// fib(n): if n < 2 return n; return fib(n - 1) + fib(n - 2), on a stack machine.
static const int8_t code[] = {
  push, 21, call, 5, stop,
  dup, push, 2, less, jumpIfZero, 12, ret,
  dup, push, 1, sub, call, 5, swap, push, 2, sub, call, 5, add, ret};

static int run(void) {
  int64_t stack[256];
  int back[256];
  int top = 0, depth = 0;
  for (int pc = 0;;) {
    switch (code[pc++]) {
      case push: stack[top++] = code[pc++]; break;
      case add: top--; stack[top - 1] += stack[top]; break;
      case sub: top--; stack[top - 1] -= stack[top]; break;
      case dup: stack[top] = stack[top - 1]; top++; break;
      case swap: { int64_t a = stack[top - 1]; stack[top - 1] = stack[top - 2]; stack[top - 2] = a; break; }
      case less: top--; stack[top - 1] = stack[top - 1] < stack[top]; break;
      case jumpIfZero: pc = stack[--top] ? pc + 1 : code[pc]; break;
      case jump: pc = code[pc]; break;
      case call: back[depth++] = pc + 1; pc = code[pc]; break;
      case ret: pc = back[--depth]; break;
      case stop: return (int)stack[0];
    }
  }
}

static int __attribute__((noinline)) fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

uint64_t kernel(void) {
  uint64_t result = 0;
  for (int i = 0; i < 3; i++) result = result * 31 + run();
  return result ^ fib(24);
}
