#include "base/process/startup_code.hpp"

#include <cstdint>

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

namespace process {
namespace {

int let_go(dl_phdr_info* info, std::size_t, void*) {
  auto const page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    auto const& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0 || (segment.p_flags & PF_W) != 0) {
      continue;  // written pages hold what no file has
    }
    std::uintptr_t const begin = (info->dlpi_addr + segment.p_vaddr) / page * page;
    std::uintptr_t const end = info->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void let_go_of_startup_code() {
  ::dl_iterate_phdr(let_go, nullptr);
}

}  // namespace process
