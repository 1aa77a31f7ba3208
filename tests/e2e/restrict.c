// SPDX-License-Identifier: MIT
//
// Runs a program under restrictions that last across execve and that hardened systems impose:
//
//   restrict [-m] [-c] [-r HOW:CALL[,CALL...]]... FILE ARGV0 [ARGUMENT...]
//
//   -m   memory that was written cannot be made executable (prctl PR_SET_MDWE, Linux 6.3)
//   -c   a seccomp filter with the effect of the one that container engines set by default
//   -r   a seccomp filter that answers these system calls with the error EPERM or ENOSYS, or with
//        KILL, the end of the process
//
// Exit status 96 for wrong usage or a failure, 97 where the system does not have the restriction.
// Filters are written out as classic BPF (seccomp(2)), one comparison a call; no library is needed.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

enum { kFailed = 96, kUnknownHere = 97, kFilterSize = 256 };

static void fail(const char* what) {
  fprintf(stderr, "restrict: %s: %s\n", what, strerror(errno));
  exit(kFailed);
}

static struct sock_filter filter[kFilterSize];
static unsigned short filter_size;

static void add(unsigned short code, unsigned operand, unsigned char if_true,
                unsigned char if_false) {
  if (filter_size == kFilterSize) {
    fputs("restrict: too many system calls\n", stderr);
    exit(kFailed);
  }
  filter[filter_size++] = (struct sock_filter){code, if_true, if_false, operand};
}

static void load(unsigned offset) { add(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0); }
static void answer(unsigned action) { add(BPF_RET | BPF_K, action, 0, 0); }

static void answer_to(long call, unsigned action) {
  add(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1);
  answer(action);
}
static void refuse(long call, unsigned error) { answer_to(call, SECCOMP_RET_ERRNO | error); }

static void begin_filter(void) {
  filter_size = 0;
  load(offsetof(struct seccomp_data, nr));
}

static void set_filter(void) {
  answer(SECCOMP_RET_ALLOW);
  struct sock_fprog program = {.len = filter_size, .filter = filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("no_new_privs");
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    if (errno == EINVAL || errno == ENOSYS) exit(kUnknownHere);
    fail("seccomp");
  }
}

// What Docker's documentation lists as blocked by its default profile for a process without
// capabilities; a call newer than the profile does not exist.
static void set_container_filter(void) {
  static const int blocked[] = {
      SYS_acct,
      SYS_add_key,
      SYS_bpf,
      SYS_clock_adjtime,
      SYS_clock_settime,
      SYS_delete_module,
      SYS_finit_module,
      SYS_fsconfig,
      SYS_fsmount,
      SYS_fsopen,
      SYS_get_mempolicy,
      SYS_init_module,
      SYS_kcmp,
      SYS_kexec_file_load,
      SYS_kexec_load,
      SYS_keyctl,
      SYS_lookup_dcookie,
      SYS_mbind,
      SYS_mount,
      SYS_move_mount,
      SYS_move_pages,
      SYS_open_by_handle_at,
      SYS_open_tree,
      SYS_perf_event_open,
      SYS_pivot_root,
      SYS_process_vm_readv,
      SYS_process_vm_writev,
      SYS_ptrace,
      SYS_quotactl,
      SYS_reboot,
      SYS_request_key,
      SYS_set_mempolicy,
      SYS_setns,
      SYS_settimeofday,
      SYS_swapoff,
      SYS_swapon,
      SYS_umount2,
      SYS_unshare,
      SYS_userfaultfd,
      SYS_vhangup,
#ifdef __x86_64__
      SYS__sysctl,
      SYS_create_module,
      SYS_ioperm,
      SYS_iopl,
      SYS_nfsservctl,
      SYS_query_module,
      SYS_sysfs,
      SYS_uselib,
      SYS_ustat,
#endif
  };
  begin_filter();
  for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++) refuse(blocked[i], EPERM);
  refuse(SYS_clone3, ENOSYS);
  add(BPF_JMP | BPF_JGT | BPF_K, SYS_epoll_pwait2, 0, 1);
  answer(SECCOMP_RET_ERRNO | ENOSYS);
  const unsigned new_namespace = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
  add(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3);
  load(offsetof(struct seccomp_data, args));
  add(BPF_JMP | BPF_JSET | BPF_K, new_namespace, 0, 1);
  answer(SECCOMP_RET_ERRNO | EPERM);
  set_filter();
}

static long number_of(const char* call) {
  static const struct {
    const char* name;
    long number;
  } calls[] = {
      {"clone", SYS_clone},       {"clone3", SYS_clone3},
      {"madvise", SYS_madvise},   {"memfd_create", SYS_memfd_create},
      {"mprotect", SYS_mprotect}, {"sched_setaffinity", SYS_sched_setaffinity},
  };
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    if (strcmp(call, calls[i].name) == 0) return calls[i].number;
  }
  fprintf(stderr, "restrict: unknown system call: %s\n", call);
  exit(kFailed);
}

static void set_refusals(char* list) {  // HOW:CALL[,CALL...]
  unsigned action = SECCOMP_RET_ALLOW;
  if (strncmp(list, "EPERM:", 6) == 0) action = SECCOMP_RET_ERRNO | EPERM;
  if (strncmp(list, "ENOSYS:", 7) == 0) action = SECCOMP_RET_ERRNO | ENOSYS;
  if (strncmp(list, "KILL:", 5) == 0) action = SECCOMP_RET_KILL_PROCESS;
  if (action == SECCOMP_RET_ALLOW) {
    fprintf(stderr, "restrict: neither EPERM: nor ENOSYS: nor KILL: %s\n", list);
    exit(kFailed);
  }
  begin_filter();
  for (char* call = strtok(strchr(list, ':') + 1, ","); call != NULL; call = strtok(NULL, ",")) {
    answer_to(number_of(call), action);
  }
  set_filter();
}

int main(int argc, char** argv) {
  for (int option; (option = getopt(argc, argv, "+mcr:")) != -1;) {
    switch (option) {
      case 'm':
        if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0) return kUnknownHere;
        break;
      case 'c':
        set_container_filter();
        break;
      case 'r':
        set_refusals(optarg);
        break;
      default:
        return kFailed;
    }
  }
  if (argc - optind < 2) {
    fputs("usage: restrict [-m] [-c] [-r HOW:CALL,...] FILE ARGV0 [ARGUMENT...]\n", stderr);
    return kFailed;
  }
  execv(argv[optind], argv + optind + 1);
  fail(argv[optind]);
}
