#include "base/process/service.hpp"
#include "dns-backend/daemon/daemon.hpp"

namespace navigator {
namespace {

constexpr std::size_t key_least = 16;
constexpr std::size_t key_most = 512;
constexpr std::chrono::milliseconds control_deadline{5000};

base::Result<std::string> read_key(std::string const& path) {
  auto text = process::read_file(path, 4096);
  if (!text) {
    return text.error();
  }
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r' || text->back() == ' ')) {
    text->pop_back();
  }
  bool const printable = text->find_first_of(" \t\r\n") == std::string::npos;
  if (text->size() < key_least || text->size() > key_most || !printable) {
    return base::fail(net::errc::bad_message, path + " must hold one word of " + std::to_string(key_least) + " to " +
                                                  std::to_string(key_most) + " characters: the API key");
  }
  return *text;
}

}  // namespace

base::Result<void> add_powerdns_api(Daemon& daemon) {
  daemon.powerdns_api = std::make_unique<powerdns::Dependencies>(powerdns::Dependencies{*daemon.api});
  powerdns::Dependencies& api = *daemon.powerdns_api;
  api.started_s = daemon.started_ms / 1000;
  if (!daemon.settings.api_key_file.empty()) {
    auto key = read_key(daemon.settings.api_key_file);
    if (!key) {
      return key.error();
    }
    api.key = std::move(*key);
  }
  auto const& sockets = daemon.settings.powerdns_control;
  if (!sockets.empty()) {
    api.control = [socket = sockets.front()](std::string command) {
      return purge::control(socket, command + "\n", control_deadline);
    };
    api.flush = [&daemon](dns::Name name) {
      daemon.purger.purge({store::Touched{std::move(name), true}});
      return daemon.settings.powerdns_control.size();
    };
  }
  powerdns::add_routes(daemon.router, api);
  return {};
}

}  // namespace navigator
