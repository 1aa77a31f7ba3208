#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Where the system forbids to make written memory executable (systemd's MemoryDenyWriteExecute, here
# by prctl PR_SET_MDWE), a packed program takes its other way and runs all the same.
# for each subject
# at each level
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/subjects.inc"
subject_name="$1"
subject "$subject_name"

cat >deny.py <<'EOF'
import ctypes, os, sys
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0):
    sys.exit(97)
if len(sys.argv) > 1:
    os.execv(sys.argv[1], sys.argv[2:])
EOF
python3 deny.py || skip "this kernel has no PR_SET_MDWE (before Linux 6.3)"

program() { (cd / && exec python3 "$scratch/deny.py" "$file" "$subject_name" "$@"); }
expect_same_behaviour "where memory cannot be made executable" probe "$subject_name" x
