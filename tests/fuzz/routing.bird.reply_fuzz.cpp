// The control socket's line protocol, whatever the bytes.
#include "base/result/result.hpp"
#include "routing/bird/control.hpp"

#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::istringstream stream(std::string(data, data + size));
  bird::ReplyReader reader;
  std::size_t fed = 0;
  for (std::string line; std::getline(stream, line);) {
    ++fed;
    auto const ended = reader.feed(line);
    if (!ended || *ended) {
      break;
    }
  }
  ASSERT(reader.reply().lines.size() <= fed);
  for (auto const& line : reader.reply().lines) {
    ASSERT(line.code <= 9999);
  }
  return 0;
}
