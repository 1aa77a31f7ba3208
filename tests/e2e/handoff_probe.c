// SPDX-License-Identifier: MIT
//
// Prints what a program can see of how it was started: registers at the entry point, stack,
// arguments, environment, auxiliary vector, memory, signals, descriptors, limits, threads. On
// x86-64, linked statically with probe_entry as its entry point, which saves the registers and goes
// on to libc's; elsewhere it does not look at registers.
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef __x86_64__
enum { kRegisters = 16, kVectorBytes = 16 * 16 };
uint64_t probe_registers[kRegisters + 2];  // rax … r15 without rsp, then rsp, flags
uint8_t probe_vectors[kVectorBytes];
uint32_t probe_mxcsr;
uint16_t probe_x87;

__asm__(
    ".globl probe_entry\n"
    "probe_entry:\n"
    "  mov %rax, probe_registers(%rip)\n"
    "  mov %rbx, 8+probe_registers(%rip)\n"
    "  mov %rcx, 16+probe_registers(%rip)\n"
    "  mov %rdx, 24+probe_registers(%rip)\n"
    "  mov %rsi, 32+probe_registers(%rip)\n"
    "  mov %rdi, 40+probe_registers(%rip)\n"
    "  mov %rbp, 48+probe_registers(%rip)\n"
    "  mov %r8, 56+probe_registers(%rip)\n"
    "  mov %r9, 64+probe_registers(%rip)\n"
    "  mov %r10, 72+probe_registers(%rip)\n"
    "  mov %r11, 80+probe_registers(%rip)\n"
    "  mov %r12, 88+probe_registers(%rip)\n"
    "  mov %r13, 96+probe_registers(%rip)\n"
    "  mov %r14, 104+probe_registers(%rip)\n"
    "  mov %r15, 112+probe_registers(%rip)\n"
    "  mov %rsp, 120+probe_registers(%rip)\n"
    "  pushf\n"
    "  pop 128+probe_registers(%rip)\n"
    "  movdqu %xmm0, probe_vectors(%rip)\n"
    "  movdqu %xmm1, 16+probe_vectors(%rip)\n"
    "  movdqu %xmm2, 32+probe_vectors(%rip)\n"
    "  movdqu %xmm3, 48+probe_vectors(%rip)\n"
    "  movdqu %xmm4, 64+probe_vectors(%rip)\n"
    "  movdqu %xmm5, 80+probe_vectors(%rip)\n"
    "  movdqu %xmm6, 96+probe_vectors(%rip)\n"
    "  movdqu %xmm7, 112+probe_vectors(%rip)\n"
    "  movdqu %xmm8, 128+probe_vectors(%rip)\n"
    "  movdqu %xmm9, 144+probe_vectors(%rip)\n"
    "  movdqu %xmm10, 160+probe_vectors(%rip)\n"
    "  movdqu %xmm11, 176+probe_vectors(%rip)\n"
    "  movdqu %xmm12, 192+probe_vectors(%rip)\n"
    "  movdqu %xmm13, 208+probe_vectors(%rip)\n"
    "  movdqu %xmm14, 224+probe_vectors(%rip)\n"
    "  movdqu %xmm15, 240+probe_vectors(%rip)\n"
    "  stmxcsr probe_mxcsr(%rip)\n"
    "  fnstcw probe_x87(%rip)\n"
    "  jmp _start\n");
#endif

static __thread int thread_local_value = 1234;
extern char** environ;

#ifdef __x86_64__
static void print_registers(void) {
  static const char* names[] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8",   "r9",
                                "r10", "r11", "r12", "r13", "r14", "r15", "rsp", "flags"};
  for (int i = 0; i < 17; i++) printf("register %s %#lx\n", names[i], probe_registers[i]);
  for (int i = 0; i < kVectorBytes; i += 16) {
    uint64_t half[2];
    memcpy(half, probe_vectors + i, sizeof half);
    printf("register xmm%d %#lx %#lx\n", i / 16, half[0], half[1]);
  }
  printf("register mxcsr %#x x87 %#x\n", probe_mxcsr, probe_x87);
}
#else
static void print_registers(void) {}
#endif

static void print_vectors(int argc, char** argv) {
  printf("stack argc %d argv %p envp %p aligned %d\n", argc, (void*)argv, (void*)environ,
         ((uintptr_t)(argv - 1) & 15) == 0);
#ifdef __x86_64__
  printf("stack argc at rsp %d\n", *(int*)probe_registers[15] == argc);
#endif
  for (int i = 0; i < argc; i++) printf("argument %d %p %s\n", i, (void*)argv[i], argv[i]);
  int count = 0;
  for (char** e = environ; *e != NULL; e++) printf("environment %d %s\n", count++, *e);
  char** end = environ;
  while (*end != NULL) end++;
  for (Elf64_auxv_t* a = (Elf64_auxv_t*)(end + 1); a->a_type != AT_NULL; a++) {
    printf("auxiliary %lu %#lx\n", a->a_type, a->a_un.a_val);
  }
  const Elf64_Phdr* headers = (const Elf64_Phdr*)getauxval(AT_PHDR);
  for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++) {
    printf("program-header %#x %#x %#lx %#lx\n", headers[i].p_type, headers[i].p_flags,
           headers[i].p_vaddr, headers[i].p_memsz);
  }
}

// The program's own address range, relative to its begin, by protection.
static void print_image(void) {
  const Elf64_Phdr* headers = (const Elf64_Phdr*)getauxval(AT_PHDR);
  const uintptr_t begin = (uintptr_t)headers - sizeof(Elf64_Ehdr), page = getauxval(AT_PAGESZ);
  uintptr_t first = UINTPTR_MAX, end = 0;
  for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++) {
    if (headers[i].p_type != PT_LOAD) continue;
    if (headers[i].p_vaddr < first) first = headers[i].p_vaddr;
    end = headers[i].p_vaddr + headers[i].p_memsz;
  }
  end = (end - first + page - 1) / page * page;
  FILE* maps = fopen("/proc/self/maps", "r");
  char line[512], before[5] = "";
  uintptr_t from = 0, to = 0;
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
    unsigned long low, high;
    char protection[5];
    if (sscanf(line, "%lx-%lx %4s", &low, &high, protection) != 3) continue;
    if (high <= begin || low >= begin + end) continue;
    low -= begin, high -= begin;
    if (high > end) high = end;
    if (low != to || strcmp(protection, before) != 0) {
      if (to != 0) printf("image %#lx %#lx %s\n", from, to, before);
      from = low;
      strcpy(before, protection);
    }
    to = high;
  }
  printf("image %#lx %#lx %s\n", from, to, before);
}

static void print_process(void) {
  printf("thread-local %d\n", thread_local_value);
  // Where it is differs: it follows all that the kernel mapped, the packed file as well.
  printf("break aligned %d movable %d\n", ((uintptr_t)sbrk(0) & 15) == 0,
         sbrk(1 << 20) != (void*)-1 && sbrk(-(1 << 20)) != (void*)-1);
  printf("personality %#x\n", personality(0xffffffff));
  sigset_t mask;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  for (int s = 1; s < 65; s++) {
    struct sigaction action;
    if (sigaction(s, NULL, &action) != 0) continue;
    printf("signal %d blocked %d ignored %d default %d\n", s, sigismember(&mask, s),
           action.sa_handler == SIG_IGN, action.sa_handler == SIG_DFL);
  }
  for (int r = 0; r < 16; r++) {
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)r, &limit) == 0) {
      printf("limit %d %lu %lu\n", r, limit.rlim_cur, limit.rlim_max);
    }
  }
  for (int fd = 0; fd < 64; fd++) {
    char path[64], target[256];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(path, target, sizeof target - 1);
    if (n > 0) printf("descriptor %d %.4s\n", fd, (target[n] = 0, target));
  }
  FILE* status = fopen("/proc/self/status", "r");
  char line[512];
  while (status != NULL && fgets(line, sizeof line, status) != NULL) {
    if (strncmp(line, "Threads", 7) == 0 || (strncmp(line, "Sig", 3) == 0 && line[3] != 'Q') ||
        strncmp(line, "Seccomp", 7) == 0 || strncmp(line, "NoNewPrivs", 10) == 0) {
      printf("status %s", line);
    }
  }
}

int main(int argc, char** argv) {
  // Standard output would take its buffer from the heap; the dump must not disturb what it shows.
  static char buffer[1 << 16];
  setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
  print_registers();
  print_vectors(argc, argv);
  print_image();
  print_process();
  return 0;
}
