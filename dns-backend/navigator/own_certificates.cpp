#include "dns-backend/navigator/own_certificates.hpp"

#include "base/process/log.hpp"

#include <sys/stat.h>

namespace navigator {
namespace {

constexpr std::chrono::milliseconds look{5000};

// Equal as long as the files are the same ones with the same content.
std::vector<std::int64_t> seen(Settings const& settings) {
  std::vector<std::int64_t> out;
  for (TlsFiles const* files :
       {settings.api_tls ? &*settings.api_tls : nullptr, settings.replica ? &settings.replica->tls : nullptr}) {
    if (files == nullptr) {
      continue;
    }
    for (auto const& path : {files->certificate, files->key, files->ca}) {
      struct stat info {};
      if (::stat(path.c_str(), &info) == 0) {
        out.insert(out.end(), {static_cast<std::int64_t>(info.st_ino), info.st_mtim.tv_sec, info.st_mtim.tv_nsec});
      }
    }
  }
  return out;
}

base::Result<void> reload(Daemon& daemon) {
  auto done = daemon.server->reload_tls();
  if (done && daemon.primary) {
    done = daemon.primary->reload();
  }
  if (done && daemon.exchange) {
    done = daemon.exchange->reload_identity();
  }
  return done;
}

}  // namespace

net::Task<void> follow_certificates(Daemon* daemon, std::weak_ptr<bool> alive) {
  // What is there at the first look may be younger than what was loaded at the start: it is read again once.
  std::vector<std::int64_t> read;
  std::string told;
  for (;;) {
    bool const waited = co_await net::wait_for(look);
    if (!waited || alive.expired()) {
      break;
    }
    auto const now = seen(daemon->settings);
    if (now == read) {
      continue;
    }
    auto const done = reload(*daemon);
    if (done) {
      read = now;
      told.clear();
      process::log::info("navigator", "the certificates of this node were read again");
    } else if (told != done.error().what()) {  // the key may come a moment after its certificate
      told = done.error().what();
      process::log::warning("navigator", "the new certificates do not load, the former ones stay in use: {}", told);
    }
  }
}

}  // namespace navigator
