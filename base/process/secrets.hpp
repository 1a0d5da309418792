// What a process does for the secrets in its memory.
//
// Threads: call it once, before there are others.
#pragma once

namespace process {

// From now on the kernel writes no core dump of this process, whatever its limits say, and nobody but root attaches to
// it. Children that are executed begin anew.
void keep_memory_private();

}  // namespace process
