// SPDX-License-Identifier: MIT
#include "analyzer/script_line.h"

#include <gtest/gtest.h>

namespace whittle::analyzer {
namespace {

// "INTERPRETER|ARGUMENT", or "none".
std::string line_of(std::string text) {
  if (text.size() > kScriptLine) text.resize(kScriptLine);
  const auto line = parse_script_line(as_bytes(text));
  return line ? line->interpreter + "|" + line->argument : "none";
}

TEST(ScriptLine, IsReadAsTheKernelReadsIt) {
  EXPECT_EQ(line_of("#!/bin/sh\necho"), "/bin/sh|");
  EXPECT_EQ(line_of("#! /bin/sh -e -u \necho"), "/bin/sh|-e -u");
  EXPECT_EQ(line_of("#!\t/bin/sh\t-x\n"), "/bin/sh|-x");
  EXPECT_EQ(line_of("#!/bin/sh"), "/bin/sh|");
  EXPECT_EQ(line_of("#!/bin/sh\r\n"), "/bin/sh\r|");
  EXPECT_EQ(line_of(std::string("#!/bin/sh\0x\n", 12)), "/bin/sh|");
  EXPECT_EQ(line_of("#!\n"), "|");
  EXPECT_EQ(line_of("#!   "), "|");
  EXPECT_EQ(line_of("#"), "none");
  EXPECT_EQ(line_of(" #!/bin/sh"), "none");
  EXPECT_EQ(line_of(""), "none");
  // A name that may go on after what the kernel looks at is refused; an argument is cut.
  EXPECT_EQ(line_of("#!/" + std::string(300, 'x')), "|");
  EXPECT_EQ(line_of("#!/bin/sh " + std::string(300, 'x')), "/bin/sh|" + std::string(246, 'x'));
}

std::string env_of(const std::string& text) {
  return program_of_env(*parse_script_line(as_bytes(text))).value_or("unknown");
}

TEST(ScriptLine, EnvStartsAProgram) {
  EXPECT_EQ(env_of("#!/bin/sh\n"), "");
  EXPECT_EQ(env_of("#!/usr/bin/env python3\n"), "python3");
  EXPECT_EQ(env_of("#!/usr/bin/env python3 -u\n"), "python3 -u");  // one name, as env gets it
  EXPECT_EQ(env_of("#!/usr/bin/env -S python3 -u\n"), "python3");
  EXPECT_EQ(env_of("#!/usr/bin/env -Spython3 -u\n"), "python3");
  EXPECT_EQ(env_of("#!/bin/env --split-string=-i A=b /opt/perl -w\n"), "/opt/perl");
  for (const char* text : {"#!/usr/bin/env\n", "#!/usr/bin/env -i python3\n", "#!/usr/bin/env -S\n",
                           "#!/usr/bin/env -S -u X python3\n", "#!/usr/bin/env -S A=b\n",
                           "#!/usr/bin/env -S 'a b'\n", "#!/usr/bin/env -S ${X}\n"}) {
    EXPECT_EQ(env_of(text), "unknown") << text;
  }
}

}  // namespace
}  // namespace whittle::analyzer
