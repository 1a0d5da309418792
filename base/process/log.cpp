#include "base/process/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>

namespace process::log {
namespace {

spdlog::level::level_enum translate(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// sd-daemon(3): the priority by which the journal files a line.
class PriorityFlag : public spdlog::custom_flag_formatter {
 public:
  void format(spdlog::details::log_msg const& message, std::tm const& /*time*/, spdlog::memory_buf_t& out) override {
    std::string_view prefix = "<6>";
    if (message.level >= spdlog::level::err) {
      prefix = "<3>";
    } else if (message.level == spdlog::level::warn) {
      prefix = "<4>";
    } else if (message.level == spdlog::level::debug) {
      prefix = "<7>";
    }
    out.append(prefix.data(), prefix.data() + prefix.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<PriorityFlag>();
  }
};

std::shared_ptr<spdlog::logger> make_logger() {
  auto logger = std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  if (::isatty(STDERR_FILENO) == 1) {
    logger->set_pattern("%H:%M:%S.%e %-7l %v");
  } else {
    auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    // The journal keeps its own time; a plain file has none unless the line carries it.
    bool const journal = std::getenv("JOURNAL_STREAM") != nullptr;
    formatter->add_flag<PriorityFlag>('*').set_pattern(journal ? "%*%v" : "%*%Y-%m-%dT%H:%M:%S.%eZ %v");
    logger->set_formatter(std::move(formatter));
  }
  logger->set_level(spdlog::level::info);
  logger->flush_on(spdlog::level::debug);
  return logger;
}

// stderr belongs to the process, and so does the one logger that writes to it.
spdlog::logger& logger() {
  static std::shared_ptr<spdlog::logger> const instance = make_logger();
  return *instance;
}

void append_escaped(std::string& out, std::string_view text) {
  for (char const character : text) {
    auto const byte = static_cast<unsigned char>(character);
    if (character == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(byte));
    } else {
      out += character;
    }
  }
}

}  // namespace

void set_level(Level level) {
  logger().set_level(translate(level));
}

bool enabled(Level level) {
  return logger().should_log(translate(level));
}

void write(Level level, std::string_view component, std::string_view text) {
  std::string line;
  line.reserve(component.size() + text.size() + 2);
  append_escaped(line, component);
  line += ": ";
  append_escaped(line, text);
  logger().log(translate(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace process::log
