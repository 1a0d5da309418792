// Memory of code that ran once.
//
// A daemon reads settings, keys and topologies when it starts, by code that it hardly needs again and that stays
// mapped. Letting go of the mapping costs a page fault for what is used after all; the file's pages stay in the cache.
//
// Threads: any; nothing is written.
#pragma once

namespace process {

// Unmaps the pages of the program's and its libraries' code (madvise(2), MADV_DONTNEED). What the kernel refuses stays.
void let_go_of_startup_code();

}  // namespace process
