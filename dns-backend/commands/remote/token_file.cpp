#include "dns-backend/commands/remote/token_file.hpp"

#include "base/process/service.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace commands {
namespace {

namespace code = boost::system::errc;

constexpr std::size_t content_max = 4096;
constexpr char const* sign_up_mark = "sign-up ";

base::Failure wrong(std::string const& path, std::string const& what) {
  return {make_error_code(code::invalid_argument), path + ": " + what};
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Descriptor(Descriptor const&) = delete;
  Descriptor& operator=(Descriptor const&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

std::string trimmed(std::string text) {
  constexpr char const* space = " \t\r\n";
  text.erase(text.find_last_not_of(space) + 1);
  text.erase(0, std::min(text.find_first_not_of(space), text.size()));
  return text;
}

}  // namespace

base::Result<std::string> read_secret_file(std::string const& path) {
  Descriptor const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
    return base::fail_errno(errno, path);
  }
  if (S_ISDIR(status.st_mode)) {
    return wrong(path, "is a folder");
  }
  if ((status.st_mode & 077U) != 0) {
    return wrong(path, "others than its owner may read it: chmod 600");
  }
  std::string content(content_max + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    ssize_t const got = ::read(file.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return base::fail_errno(errno, path);
    }
    if (got == 0) {
      break;
    }
    size += static_cast<std::size_t>(got);
  }
  if (size > content_max) {
    return wrong(path, "is larger than a token");
  }
  content.resize(size);
  return trimmed(std::move(content));
}

base::Result<std::string> read_token_file(std::string const& path) {
  auto content = read_secret_file(path);
  if (!content) {
    return content.error();
  }
  if (content->starts_with(sign_up_mark)) {
    return wrong(path, "a sign-up waits for its answer here: run 'navigator sign-up' again");
  }
  bool const visible = std::ranges::all_of(*content, [](char c) { return c > ' ' && c < 0x7f; });
  if (content->empty() || !visible) {
    return wrong(path, "holds no token: one line, as it was shown when it was made");
  }
  return content;
}

base::Result<std::string> begin_token_file(std::string const& path, std::string const& key) {
  constexpr mode_t mode = 0600;
  Descriptor const file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (file.get() < 0 && errno != EEXIST) {
    return base::fail_errno(errno, path);
  }
  if (file.get() >= 0) {
    auto const written = process::write_file_atomically(path, sign_up_mark + key + "\n", mode);
    if (!written) {
      ::unlink(path.c_str());
      return written.error();
    }
    return key;
  }
  auto const former = read_secret_file(path);
  if (former && former->starts_with(sign_up_mark)) {
    return former->substr(std::string(sign_up_mark).size());
  }
  return base::Failure{make_error_code(code::file_exists), path + ": is there already, and is not written over"};
}

base::Result<void> finish_token_file(std::string const& path, std::string const& token) {
  return process::write_file_atomically(path, token + "\n", 0600);
}

void drop_token_file(std::string const& path) {
  auto const content = read_secret_file(path);
  if (content && (content->empty() || content->starts_with(sign_up_mark))) {
    ::unlink(path.c_str());
  }
}

}  // namespace commands
