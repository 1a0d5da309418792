// The folder and the files that a first start finds missing.
//
// Threads: any.
#pragma once

#include "base/result/result.hpp"

#include <string>

namespace process {

// Makes the folder in which `path` lies, when it is missing and the folder above it is not; its mode is exact whatever
// the umask. `what` says in a failure what is to lie there ("the store"). The failure is the errno code, and its detail
// one sentence with the command that mends it.
base::Result<void> make_folder_for(std::string const& path, unsigned mode, std::string const& what);

// Makes `path` an empty file that only its owner may read, when there is none. The owner is the folder's when root
// makes it: what an administrator's command leaves behind must not keep the daemon's user out.
base::Result<void> make_private_file(std::string const& path);

}  // namespace process
