#include "base/process/folders.hpp"

#include "base/process/descriptors.hpp"

#include <array>
#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace process {
namespace {

std::string folder_of(std::string const& path) {
  auto const slash = path.rfind('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string octal(unsigned mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode);
  return text.data();
}

}  // namespace

base::Result<void> make_folder_for(std::string const& path, unsigned mode, std::string const& what) {
  std::string const folder = folder_of(path);
  struct stat found {};
  if (::stat(folder.c_str(), &found) == 0 && !S_ISDIR(found.st_mode)) {
    return base::fail_errno(ENOTDIR, what + " is to lie in " + folder + ", which is no folder");
  }
  if (::mkdir(folder.c_str(), 0700) != 0) {
    if (errno == EEXIST) {
      return {};
    }
    return base::fail_errno(errno, "the folder " + folder + " of " + what +
                                       " is missing and cannot be made here; make it for the user of this program, "
                                       "for instance as root: install -d -m " +
                                       octal(mode) + " -o navigator " + folder);
  }
  if (::chmod(folder.c_str(), static_cast<mode_t>(mode)) != 0) {
    return base::fail_errno(errno, "setting the mode of " + folder);
  }
  return {};
}

base::Result<void> make_private_file(std::string const& path) {
  Descriptor const file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.open()) {
    return errno == EEXIST ? base::Result<void>() : base::fail_errno(errno, "making " + path);
  }
  struct stat folder {};
  bool const root = ::geteuid() == 0;
  if (root && ::stat(folder_of(path).c_str(), &folder) == 0 &&
      ::fchown(file.get(), folder.st_uid, folder.st_gid) != 0) {
    return base::fail_errno(errno, "giving " + path + " to the owner of its folder");
  }
  return {};
}

}  // namespace process
