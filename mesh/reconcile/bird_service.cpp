#include "mesh/reconcile/bird_service.hpp"

#include "base/process/log.hpp"
#include "base/process/service.hpp"
#include "base/result/category.hpp"
#include "mesh/enrolment/token.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

namespace reconcile {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds check_deadline{10000};
constexpr milliseconds start_deadline{5000};
constexpr milliseconds look_again{50};
constexpr std::int64_t clock_tolerance_ms = 1000;
constexpr std::int64_t rounding_ms = 2;

bool holds(std::string const& path, std::string const& text) {
  auto const present = process::read_file(path);
  return present && *present == text;
}

// Whether BIRD took the text of this mark at that time; any time when it is not known.
bool is_marked(std::string const& path, std::string const& mark, std::string const& since) {
  auto const present = process::read_file(path);
  if (!present || !present->starts_with(mark)) {
    return false;
  }
  auto marked = present->substr(mark.size());
  if (!marked.empty() && marked.back() == '\n') {
    marked.pop_back();
  }
  return since.empty() || same_configuration(marked, since);
}

constexpr std::string_view reboot_is = "Last reboot on ";
constexpr std::string_view reconfiguration_is = "Last reconfiguration on ";

// The time behind `label` in `since`, in milliseconds of whatever clock BIRD's words are in; nothing when it says none.
std::optional<std::int64_t> time_behind(std::string_view label, std::string const& since) {
  auto const at = since.find(label);
  if (at == std::string::npos) {
    return std::nullopt;
  }
  std::tm parts{};
  char const* const end = ::strptime(since.c_str() + at + label.size(), "%Y-%m-%d %H:%M:%S", &parts);
  if (end == nullptr) {
    return std::nullopt;
  }
  int milliseconds_of = 0;
  if (*end == '.') {
    std::from_chars(end + 1, since.c_str() + since.size(), milliseconds_of);
  }
  return static_cast<std::int64_t>(::timegm(&parts)) * 1000 + milliseconds_of;
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  auto const at = text.rfind('\n');
  return at == std::string::npos ? text : text.substr(at + 1);
}

char const* message(int) {
  return "BIRD";
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static base::Category const category("reconcile", message);
  return {static_cast<int>(code), category};
}

std::string configured_since(bird::Lines const& show_status) {
  std::string out;
  for (auto const& line : show_status) {
    if (line.starts_with(reboot_is) || line.starts_with(reconfiguration_is)) {
      out += (out.empty() ? "" : ", ") + line;
    }
  }
  return out;
}

bool same_configuration(std::string const& marked, std::string const& now) {
  auto const reboot = time_behind(reboot_is, marked);
  auto const reboot_now = time_behind(reboot_is, now);
  auto const taken = time_behind(reconfiguration_is, marked);
  auto const taken_now = time_behind(reconfiguration_is, now);
  if (!reboot || !reboot_now || !taken || !taken_now) {
    return marked == now;
  }
  auto const between = [](std::int64_t one, std::int64_t other) { return one < other ? other - one : one - other; };
  return between(*reboot, *reboot_now) <= clock_tolerance_ms &&
         between(*taken - *reboot, *taken_now - *reboot_now) <= rounding_ms;
}

std::vector<std::string> disabled_by_hand(std::vector<bird::ProtocolRow> const& rows, std::string_view text) {
  std::vector<std::string> out;
  for (auto const& row : rows) {
    bool const others = row.name.starts_with("anycast_") || row.name.starts_with("upstream_");
    if (row.state == "down" && !others && text.find(" " + row.name + " {") != std::string_view::npos) {
      out.push_back(row.name);
    }
  }
  return out;
}

bool runs_another(std::vector<bird::ProtocolRow> const& rows, std::string_view text) {
  auto const missing = [&](std::string_view name) {
    bool const wanted = text.find(" " + std::string(name) + " {") != std::string_view::npos;
    return wanted && std::none_of(rows.begin(), rows.end(), [&](auto const& row) { return row.name == name; });
  };
  return missing("ospf4") || missing("ospf6");
}

net::Task<BirdService::Running> BirdService::running() {
  auto const answer = co_await control_.command("show status");
  if (answer) {
    co_return Running{true, configured_since(answer->text())};
  }
  // One that is overloaded or half-started still holds the socket: starting a second would only fail.
  co_return Running{answer.error().code != bird::errc::unreachable, {}};
}

net::Task<base::Result<std::vector<std::string>>> BirdService::enable_protocols(std::string start_text) {
  std::vector<std::string> out;
  auto const rows = co_await control_.protocols();
  if (!rows) {
    co_return out;  // BIRD does not answer, which is told elsewhere
  }
  if (runs_another(*rows, start_text)) {  // the next pass configures it
    std::error_code ignored;
    std::filesystem::remove(marker_file_, ignored);
    on_trial_.clear();
  }
  for (auto const& name : disabled_by_hand(*rows, start_text)) {
    auto const enabled = co_await control_.enable(name);
    if (!enabled) {
      co_return base::fail(errc::bird, "enabling " + name + ": " + enabled.error().what());
    }
    out.push_back("bird: protocol " + name + " enabled");
  }
  co_return out;
}

net::Task<base::Result<void>> BirdService::keep_mark(std::string mark) {
  auto const now = co_await running();
  co_return process::write_file_atomically(marker_file_, mark + now.since + "\n", 0644);
}

net::Task<base::Result<void>> BirdService::check(std::string file, bool running) {
  if (running) {
    auto const checked = co_await control_.check(file);
    if (!checked) {
      co_return base::fail(errc::bird, "the new configuration is refused: " + checked.error().what());
    }
    co_return base::Result<void>();
  }
  std::vector<std::string> argv{settings_.program, "-p", "-c", file};
  auto const result = co_await process::run_child(std::move(argv), check_deadline);
  if (!result) {
    co_return base::fail(errc::bird, settings_.program + " does not run: " + result.error().what());
  }
  if (result->exit_code != 0) {
    co_return base::fail(errc::bird, "the new configuration is refused: " + last_line(result->output));
  }
  co_return base::Result<void>();
}

net::Task<base::Result<void>> BirdService::start() {
  if (settings_.start.empty()) {
    co_return base::fail(errc::bird, "it does not run (nobody listens on " + settings_.control_socket +
                                         ") and no bird.start is configured");
  }
  // Nobody listens there; BIRD 2.0 does not start over a socket file that a kill -9 left.
  if (::unlink(settings_.control_socket.c_str()) != 0 && errno != ENOENT) {
    co_return base::fail_errno(errno, "removing the dead socket " + settings_.control_socket);
  }
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(settings_.control_socket).parent_path(), ignored);
  auto const log = settings_.log_file.empty() ? std::string("/dev/null") : settings_.log_file;
  auto const started = process::start_detached(settings_.start, log);
  if (!started) {
    co_return base::fail(errc::bird, started.error().what());
  }
  auto const until = std::chrono::steady_clock::now() + start_deadline;
  while (std::chrono::steady_clock::now() < until) {
    auto const answers = co_await running();
    if (answers.up) {
      process::log::info("agent", "started {} pid={}", settings_.start.front(), *started);
      co_return base::Result<void>();
    }
    bool const waited = co_await net::wait_for(look_again);
    if (!waited) {
      break;
    }
  }
  co_return base::fail(errc::bird,
                       "it was started but does not listen on " + settings_.control_socket + " after 5 s; see " + log);
}

net::Task<base::Result<void>> BirdService::configure(std::string start_text, std::string live_text, bool trial) {
  std::string file;  // empty: the one it was started with
  if (live_text != start_text) {
    file = settings_.config_file + ".live";
    if (auto written = process::write_file_atomically(file, live_text, 0644); !written) {
      co_return written;
    }
  }
  auto const configured = co_await control_.configure(file, trial ? confirm_within : std::chrono::seconds(0));
  if (!configured) {
    co_return base::fail(errc::bird, "configure: " + configured.error().what());
  }
  co_return base::Result<void>();
}

net::Task<base::Result<void>> BirdService::rewrite_routes() {
  for (char const* protocol : {"kernel4", "kernel6"}) {
    auto const done = co_await control_.command(std::string("reload out ") + protocol);
    if (!done) {
      co_return base::fail(errc::bird, "routes are not written again: " + done.error().what());
    }
  }
  co_return base::Result<void>();
}

net::Task<base::Result<void>> BirdService::confirm() {
  if (on_trial_.empty()) {
    co_return base::Result<void>();
  }
  auto const done = co_await control_.command("configure confirm");
  if (!done) {
    co_return base::fail(errc::bird, "the configuration is not confirmed: " + done.error().what());
  }
  auto mark = std::exchange(on_trial_, std::string());
  auto const kept = co_await keep_mark(std::move(mark));
  co_return kept;
}

net::Task<base::Result<void>> BirdService::recalculate() {
  for (char const* protocol : {"ospf4", "ospf6"}) {
    auto const done = co_await control_.command(std::string("reload in ") + protocol);
    if (!done) {
      co_return base::fail(errc::bird, "routes are not calculated again: " + done.error().what());
    }
  }
  co_return base::Result<void>();
}

net::Task<base::Result<void>> BirdService::undo() {
  auto const done = co_await control_.command("configure undo");
  if (!done) {
    co_return base::fail(errc::bird, "going back before the next trial: " + done.error().what());
  }
  on_trial_.clear();
  co_return base::Result<void>();
}

net::Task<base::Result<bool>> BirdService::converge(std::string start_text, std::string live_text,
                                                    std::uint64_t trial) {
  auto const bird = co_await running();
  bool const up = bird.up;
  bool const same = holds(settings_.config_file, start_text);
  auto const mark = enrolment::sha256_hex(start_text) + "\n";
  bool const untouched = bird.since.empty() || same_configuration(on_trial_stamp_, bird.since);
  bool const trying =
      up && !on_trial_.empty() && untouched && std::chrono::steady_clock::now() - on_trial_since_ < confirm_within;
  if (trying && trial == trial_) {
    co_return false;
  }
  bool const tried = trying && on_trial_ == mark;
  if (same && up && tried && trial == 0) {  // the trial ended without a verdict: another way to stay
    auto const confirmed = co_await confirm();
    if (!confirmed) {
      co_return confirmed.error();
    }
    co_return false;
  }
  if (same && up && (tried || (on_trial_.empty() && is_marked(marker_file_, mark, bird.since)))) {
    trial_ = trial;
    co_return false;
  }
  if (!same) {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(settings_.config_file).parent_path(), ignored);
    auto const beside = settings_.config_file + ".new";
    if (auto written = process::write_file_atomically(beside, start_text, 0644); !written) {
      co_return written.error();
    }
    auto const checked = co_await check(beside, up);
    if (!checked) {
      co_return checked.error();
    }
    if (std::rename(beside.c_str(), settings_.config_file.c_str()) != 0) {
      co_return base::fail_errno(errno, "renaming " + beside);
    }
  }
  base::Result<void> done;
  bool const take_back = up && trial != 0;
  if (take_back && trying) {
    auto const undone = co_await undo();
    if (!undone) {
      co_return undone.error();
    }
  }
  if (up) {
    done = co_await configure(start_text, live_text, take_back);
  } else {
    done = co_await start();
  }
  if (!done) {
    co_return done.error();
  }
  on_trial_ = take_back ? mark : std::string();
  trial_ = trial;
  on_trial_since_ = std::chrono::steady_clock::now();
  if (take_back) {
    auto const now = co_await running();
    on_trial_stamp_ = now.since;
    co_return true;  // marked by confirm()
  }
  auto const kept = co_await keep_mark(mark);
  if (!kept) {
    co_return kept.error();
  }
  co_return true;
}

}  // namespace reconcile
