#include "base/process/secrets.hpp"

#include <sys/prctl.h>

namespace process {

void keep_memory_private() {
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // fails for no value but an unknown one
}

}  // namespace process
