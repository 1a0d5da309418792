#include "mesh/privateer/ca/commands.hpp"

#include "base/process/service.hpp"
#include "mesh/internal_ca/issuing.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <iostream>
#include <iterator>

namespace privateer {
namespace {

namespace json = boost::json;

constexpr int exit_done = 0;
constexpr int exit_failed = 1;
constexpr int exit_bad_input = 2;
constexpr std::size_t pem_size_limit = 65536;

std::int64_t wall_clock_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

int refused(base::Failure const& failure) {
  std::cerr << "privateer: " << failure.what() << "\n";
  bool const about_input = failure.code == internal_ca::errc::bad_request ||
                           failure.code == internal_ca::errc::untrusted || failure.code == internal_ca::errc::expired ||
                           failure.code == internal_ca::errc::bad_state;
  return about_input ? exit_bad_input : exit_failed;
}

base::Result<std::string> read_input(std::string const& file) {
  if (file != "-") {
    return process::read_file(file, pem_size_limit);
  }
  return std::string(std::istreambuf_iterator<char>(std::cin), {});
}

// To the file or stdout; as JSON when that is wanted, under `key`.
int give(CaInput const& input, std::string const& key, std::string const& pem, std::string const& next) {
  if (!input.output.empty()) {
    if (auto written = process::write_file_atomically(input.output, pem, 0644); !written) {
      return refused(written.error());
    }
  }
  if (input.json) {
    std::cout << json::serialize(json::object{{key, pem}, {"next", next}}) << "\n";
    return exit_done;
  }
  if (input.output.empty()) {
    std::cout << pem;
  }
  std::cerr << next << "\n";
  return exit_done;
}

std::string left(std::int64_t until_s, std::int64_t now_s) {
  std::int64_t const seconds = until_s - now_s;
  if (seconds <= 0) {
    return "ended";
  }
  return seconds < 172800 ? std::to_string(seconds / 3600) + " h left" : std::to_string(seconds / 86400) + " days left";
}

}  // namespace

int ca_create(CaInput const& input) {
  auto const lifetime_s = input.lifetime_s == 0 ? internal_ca::root_lifetime_s : input.lifetime_s;
  auto const made = internal_ca::create_root(input.directory, lifetime_s, wall_clock_s());
  if (!made) {
    return refused(made.error());
  }
  std::string const next = input.directory + "/ca.key is the root and stays here; next, on the controller (with " +
                           "serve.root: elsewhere in its settings): privateer ca request";
  return give(input, "root_pem", *made, next);
}

int ca_request(std::string const& state, CaInput const& input) {
  auto const csr = internal_ca::request_issuing(state);
  if (!csr) {
    return refused(csr.error());
  }
  return give(input, "csr_pem", *csr, "next, where the root is kept: privateer ca sign FILE --directory ROOT");
}

int ca_sign(CaInput const& input) {
  auto const csr = read_input(input.file);
  if (!csr) {
    return refused(csr.error());
  }
  auto const lifetime_s = input.lifetime_s == 0 ? internal_ca::issuing_lifetime_s : input.lifetime_s;
  auto const made = internal_ca::sign_issuing(input.directory, *csr, lifetime_s, wall_clock_s());
  if (!made) {
    return refused(made.error());
  }
  return give(input, "signed_pem", *made, "next, on the controller: privateer ca install FILE");
}

int ca_install(std::string const& state, CaInput const& input) {
  auto const text = read_input(input.file);
  if (!text) {
    return refused(text.error());
  }
  if (auto done = internal_ca::install_issuing(state, *text, wall_clock_s()); !done) {
    return refused(done.error());
  }
  return ca_status(state, input.json);
}

int ca_status(std::string const& state, bool as_json) {
  auto const standing = internal_ca::look_at(state);
  if (!standing) {
    return refused(standing.error());
  }
  auto const now_s = wall_clock_s();
  auto const alarm = internal_ca::alarm(*standing, now_s);
  if (as_json) {
    json::object const out{{"root_sha256", standing->root_sha256},
                           {"root_until_s", standing->root.until_s},
                           {"root_key_here", standing->root_key_here},
                           {"issuing_installed", standing->issuing_installed},
                           {"issuing_until_s", standing->issuing.until_s},
                           {"issuing_left_s", standing->issuing.until_s - now_s},
                           {"requested", standing->requested},
                           {"controller_until_s", standing->serving.until_s},
                           {"alarm", alarm}};
    std::cout << json::serialize(out) << "\n";
    return alarm.empty() ? exit_done : exit_failed;
  }
  if (standing->root_known) {
    std::cout << "root        " << left(standing->root.until_s, now_s) << ", its key "
              << (standing->root_key_here ? "here" : "elsewhere") << ", " << standing->root_sha256 << "\n";
    std::cout << "issues with "
              << (standing->issuing_installed ? "a certificate by the root, " + left(standing->issuing.until_s, now_s)
                                              : std::string("the root itself"))
              << "\n";
  }
  if (standing->serving.until_s != 0) {
    std::cout << "controller  " << left(standing->serving.until_s, now_s) << ", renews by itself\n";
  }
  if (standing->requested) {
    std::cout << "request     waits to be signed\n";
  }
  if (standing->issuing_installed && standing->root_key_here) {
    std::cout << "note        the root's key is still here: move " << state << "/ca.key away\n";
  }
  if (!alarm.empty()) {
    std::cout << "to do       " << alarm << "\n";
  }
  return alarm.empty() ? exit_done : exit_failed;
}

}  // namespace privateer
