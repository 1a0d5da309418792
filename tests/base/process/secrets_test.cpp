#include "base/process/secrets.hpp"

#include <gtest/gtest.h>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

// In a child, because the test's own process shall stay as it is.
TEST(Secrets, AProcessThatKeepsItsMemoryIsNotDumped) {
  pid_t const child = ::fork();
  if (child == 0) {
    bool const before = ::prctl(PR_GET_DUMPABLE) == 1;
    process::keep_memory_private();
    ::_exit(before && ::prctl(PR_GET_DUMPABLE) == 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
