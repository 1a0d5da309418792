#include "mesh/controller/own_certificate.hpp"

#include "base/process/log.hpp"
#include "mesh/enrolment/enroller.hpp"
#include "mesh/internal_ca/issuing.hpp"
#include "mesh/internal_ca/serving.hpp"

#include <boost/json.hpp>

namespace controller {

namespace {

constexpr std::chrono::seconds look_interval{5};

void tell(std::string& told, std::string const& sentence) {
  if (told != sentence && !sentence.empty()) {
    process::log::warning("controller", "{}", sentence);
  }
  told = sentence;
}

}  // namespace

base::Result<bool> load_authority(Controller::State& state, std::int64_t now_s) {
  std::string const& directory = state.settings.state;
  std::string const key_file = directory + "/controller.key";
  if (auto key = enrolment::load_or_make_tls_key(key_file); !key) {
    return key.error();
  }
  auto authority = internal_ca::Authority::open(
      directory, now_s, state.settings.root_elsewhere ? internal_ca::RootKey::elsewhere : internal_ca::RootKey::here);
  if (!authority) {
    return authority.error();
  }
  bool const another = !state.issuer || state.issuer->issuer_pem() != authority->issuer_pem() ||
                       state.issuer->root_pem() != authority->root_pem();
  auto serving = internal_ca::keep_serving_certificate(*authority, key_file, directory + "/controller.crt", now_s);
  if (!serving) {
    return serving.error();
  }
  state.issuer = std::move(*authority);
  state.key_sha256 = serving->key_sha256;
  tell(state.told_of_authority, serving->warning);
  return another || serving->renewed;
}

net::Task<void> watch_authority(Controller::State* state, std::shared_ptr<bool> stopped) {
  while (!*stopped) {                             // which it may be before the first turn
    co_await state->changed.wait(look_interval);  // a stop notifies it, too
    if (*stopped) {
      break;
    }
    auto const looked = load_authority(*state, now_seconds());
    if (!looked) {
      tell(state->told_of_authority, looked.error().what());
      continue;
    }
    if (!*looked) {
      continue;
    }
    auto const loaded = state->nodes_server.reload_tls();
    if (!loaded) {
      tell(state->told_of_authority, loaded.error().what());
      continue;
    }
    state->list_revoked(state->revocations.revoked());
    process::log::info("controller", "certificates are issued and shown anew from now on");
  }
}

boost::json::object authority_json(Controller::State const& state, std::int64_t now_s) {
  auto const standing = internal_ca::look_at(state.settings.state);
  if (!standing) {
    return {{"alarm", standing.error().what()}};
  }
  return {{"root_key_here", standing->root_key_here},        {"root_until_s", standing->root.until_s},
          {"issuing_until_s", standing->issuing.until_s},    {"issuing_installed", standing->issuing_installed},
          {"controller_until_s", standing->serving.until_s}, {"alarm", internal_ca::alarm(*standing, now_s)}};
}

}  // namespace controller
