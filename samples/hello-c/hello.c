// SPDX-License-Identifier: MIT
//
// Greets, then shows what a program is given at its start. Used by all the C samples.
//
//   hello [--env] [--exit STATUS] [ARGUMENT...]
//
// --env prints how many environment variables there are and a checksum of all of them; the other
// arguments are printed one a line; the exit status is 0 or STATUS.
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char** environ;

static _Thread_local int greetings;  // thread-local storage: set up from the program headers

static void* greet(void* name) {
  greetings++;
  printf("Hello, %s!\n", (const char*)name);
  return greetings == 1 ? name : NULL;
}

static void say_goodbye(void) { puts("Goodbye."); }

static void print_environment(void) {
  size_t count = 0;
  uint32_t checksum = 2166136261u;  // FNV-1a
  for (char** variable = environ; *variable; variable++, count++) {
    for (const char* p = *variable; *p; p++) checksum = (checksum ^ (unsigned char)*p) * 16777619u;
  }
  printf("%zu variables, checksum %08x\n", count, checksum);
}

int main(int argc, char** argv) {
  if (atexit(say_goodbye) != 0) return EXIT_FAILURE;

  pthread_t thread;
  void* result = NULL;
  if (pthread_create(&thread, NULL, greet, "world") != 0 || pthread_join(thread, &result) != 0 ||
      result == NULL) {
    fprintf(stderr, "hello: cannot run a thread: %s\n", strerror(errno));
    return EXIT_FAILURE;
  }

  int status = EXIT_SUCCESS;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--env") == 0) {
      print_environment();
    } else if (strcmp(argv[i], "--exit") == 0 && i + 1 < argc) {
      status = atoi(argv[++i]);
    } else {
      puts(argv[i]);
    }
  }
  if (fflush(stdout) != 0) return EXIT_FAILURE;
  return status;
}
