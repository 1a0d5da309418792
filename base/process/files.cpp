#include "base/process/service.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace process {
namespace {

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd const&) = delete;
  Fd& operator=(Fd const&) = delete;
  ~Fd() { close(); }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  int close() { return fd_ < 0 ? 0 : ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

std::string folder_of(std::string const& path) {
  auto const slash = path.rfind('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}

base::Result<void> write_all(int fd, std::string_view content, std::string const& path) {
  while (!content.empty()) {
    ssize_t const written = ::write(fd, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return base::fail_errno(errno, "write " + path);
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

base::Result<void> fill(Fd& fd, std::string_view content, unsigned mode, std::string const& path) {
  if (::fchmod(fd.get(), static_cast<mode_t>(mode)) != 0) {
    return base::fail_errno(errno, "set the mode of " + path);
  }
  if (auto written = write_all(fd.get(), content, path); !written) {
    return written;
  }
  if (::fsync(fd.get()) != 0 || fd.close() != 0) {
    return base::fail_errno(errno, "sync " + path);
  }
  return {};
}

}  // namespace

base::Result<void> write_file_atomically(std::string const& path, std::string_view content, unsigned mode) {
  std::string temporary = path + ".XXXXXX";
  Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid()) {
    return base::fail_errno(errno, "create a file beside " + path);
  }
  if (auto filled = fill(fd, content, mode, path); !filled) {
    ::unlink(temporary.c_str());
    return filled;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    auto failure = base::fail_errno(errno, "rename onto " + path);
    ::unlink(temporary.c_str());
    return failure;
  }
  // The new name must survive a power loss as well as the content.
  Fd const folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid() || ::fsync(folder.get()) != 0) {
    return base::fail_errno(errno, "sync the folder of " + path);
  }
  return {};
}

base::Result<std::string> read_file(std::string const& path, std::size_t limit) {
  Fd const fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    return base::fail_errno(errno, "open " + path);
  }
  std::string out;
  constexpr std::size_t step = 64U << 10U;
  for (;;) {
    std::size_t const have = out.size();
    out.resize(have + step);
    ssize_t const size = ::read(fd.get(), out.data() + have, step);
    if (size < 0) {
      if (errno == EINTR) {
        out.resize(have);
        continue;
      }
      return base::fail_errno(errno, "read " + path);
    }
    out.resize(have + static_cast<std::size_t>(size));
    if (size == 0) {
      return out;
    }
    if (out.size() > limit) {
      return base::fail(errc::too_large, path + " is larger than " + std::to_string(limit) + " bytes");
    }
  }
}

}  // namespace process
