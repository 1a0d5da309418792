#include "mesh/showing/terminal.hpp"

namespace showing {

std::string picture_on_terminal(std::string_view text, std::size_t rows, std::size_t columns) {
  std::string out = "\x1b[H";
  for (std::size_t row = 1; row < rows && !text.empty(); ++row) {
    auto const end = text.find('\n');
    auto const line = text.substr(0, end);
    for (char const c : line.substr(0, columns)) {
      out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
    out += "\x1b[K\r\n";
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return out + "\x1b[J";
}

}  // namespace showing
