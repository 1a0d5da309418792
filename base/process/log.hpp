// Logging to stderr, one line an event, with systemd's "<N>" priority prefix when stderr is not a terminal.
//
// A line is "component: what happened key=value ..."; nothing secret is ever passed here. Control characters in the
// text are escaped, so that input from outside cannot forge a line. Where neither a terminal nor the journal reads
// stderr, a UTC time follows the priority. spdlog does the work and is
// included in log.cpp only.
//
// Threads: every function may be called from any thread.
#pragma once

#include <fmt/core.h>

#include <string_view>
#include <utility>

namespace process::log {

enum class Level { debug, info, warning, error };

// Lines below `level` are dropped; info at start.
void set_level(Level level);
void write(Level level, std::string_view component, std::string_view text);
[[nodiscard]] bool enabled(Level level);

template <class... Args>
void debug(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::debug)) {
    write(Level::debug, component, fmt::format(format, std::forward<Args>(args)...));
  }
}
template <class... Args>
void info(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::info)) {
    write(Level::info, component, fmt::format(format, std::forward<Args>(args)...));
  }
}
template <class... Args>
void warning(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::warning)) {
    write(Level::warning, component, fmt::format(format, std::forward<Args>(args)...));
  }
}
template <class... Args>
void error(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::error)) {
    write(Level::error, component, fmt::format(format, std::forward<Args>(args)...));
  }
}

}  // namespace process::log
