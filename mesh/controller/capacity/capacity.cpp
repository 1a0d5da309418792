#include "mesh/controller/capacity/capacity.hpp"

#include "base/process/log.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace controller {
namespace {

constexpr std::uint64_t for_others = 1280;  // operators' connections among them

}  // namespace

std::uint64_t raise_descriptors_max() {
  constexpr rlim_t wanted = connections_wanted + for_others;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return 1024;
  }
  if (limit.rlim_cur < wanted) {
    rlimit const more{std::min(wanted, limit.rlim_max), limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &more) == 0) {
      limit = more;
    }
  }
  if (limit.rlim_cur < wanted) {
    process::log::info("controller", "{} files may be open, which is enough for {} nodes; {} are wanted (LimitNOFILE)",
                       limit.rlim_cur, connections_max(limit.rlim_cur) / 2, wanted);
  }
  return limit.rlim_cur;
}

std::size_t connections_max(std::uint64_t descriptors) {
  if (descriptors >= connections_wanted + for_others) {
    return connections_wanted;
  }
  return descriptors > 2 * for_others ? descriptors - for_others : std::max<std::uint64_t>(descriptors / 2, 1);
}

}  // namespace controller
