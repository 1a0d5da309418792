#include "mesh/wireguard/backend/service.hpp"

#include "base/process/service.hpp"
#include "mesh/wireguard/error.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>

namespace wireguard {
namespace {

constexpr std::chrono::milliseconds systemctl_deadline{10000};
constexpr std::string_view template_name = "privateer-wireguard@";
// Where systemd looks for units of an administrator and of packages (systemd.unit(5)).
constexpr std::array<char const*, 5> unit_folders{"/etc/systemd/system/", "/run/systemd/system/",
                                                  "/usr/local/lib/systemd/system/", "/usr/lib/systemd/system/",
                                                  "/lib/systemd/system/"};

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

SystemdSigns look_for_systemd() {
  SystemdSigns out;
  out.runs = ::access("/run/systemd/system", F_OK) == 0;  // sd_booted(3)
  char const* const executed = std::getenv("SYSTEMD_EXEC_PID");
  out.started_us = executed != nullptr && executed == std::to_string(::getpid());
  auto const file = std::string(template_name) + ".service";
  out.unit_installed = std::any_of(unit_folders.begin(), unit_folders.end(),
                                   [&](char const* folder) { return ::access((folder + file).c_str(), F_OK) == 0; });
  return out;
}

bool by_systemd(BackendSettings const& settings, SystemdSigns const& signs) {
  switch (settings.service) {
    case ServiceChoice::systemd:
      return true;
    case ServiceChoice::child:
      return false;
    case ServiceChoice::automatic:
      break;
  }
  return signs.runs && signs.started_us && signs.unit_installed && settings.command == BackendSettings().command;
}

std::string unit_of(std::string_view device) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_.";
  constexpr std::string_view digits = "0123456789abcdef";
  std::string instance;
  for (char const c : device) {
    if (plain.find(c) != std::string_view::npos && !(c == '.' && instance.empty())) {
      instance += c;
      continue;
    }
    auto const octet = static_cast<unsigned char>(c);
    instance += "\\x";
    instance += digits[octet >> 4U];
    instance += digits[octet & 15U];
  }
  return std::string(template_name) + instance + ".service";
}

bool is_of_the_unit(std::string_view output) {
  return output.find("Job for ") != std::string_view::npos;
}

net::Task<base::Result<void>> Services::ask(std::string verb, std::string device) {
  auto argv = systemctl_;
  argv.emplace_back("--no-ask-password");
  argv.emplace_back("--quiet");
  argv.push_back(verb);
  argv.push_back(unit_of(device));
  auto const done = co_await process::run_child(argv, systemctl_deadline);
  if (!done) {
    bool const slow = done.error().code == process::errc::timed_out;
    co_return base::fail(slow ? errc::no_program : errc::no_permission,
                         "systemctl " + verb + " " + unit_of(device) + ": " + done.error().what());
  }
  if (done->exit_code != 0) {
    co_return base::fail(is_of_the_unit(done->output) ? errc::no_program : errc::no_permission,
                         "systemctl " + verb + " " + unit_of(device) + ": " + one_line(done->output));
  }
  co_return base::Result<void>();
}

net::Task<base::Result<void>> Services::start(std::string device) {
  auto const asked = co_await ask("start", std::move(device));
  co_return asked;
}

net::Task<base::Result<void>> Services::stop(std::string device) {
  auto const asked = co_await ask("stop", std::move(device));
  co_return asked;
}

}  // namespace wireguard
