#include "dns-backend/commands/table.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

namespace commands {
namespace {

std::string cell(boost::json::value const& value) {
  if (value.is_string()) {
    std::string text(value.get_string());
    return text.empty() ? "-" : text;
  }
  if (value.is_null()) {
    return "-";
  }
  if (value.is_array()) {
    std::string out;
    for (auto const& item : value.get_array()) {
      out += (out.empty() ? "" : ",") + cell(item);
    }
    return out.empty() ? "-" : out;
  }
  return boost::json::serialize(value);
}

}  // namespace

std::string table(boost::json::array const& rows, std::vector<std::pair<std::string, std::string>> const& columns) {
  std::vector<std::vector<std::string>> cells(1);
  std::vector<std::size_t> widths;
  for (auto const& [key, heading] : columns) {
    cells[0].push_back(heading);
    widths.push_back(heading.size());
  }
  for (auto const& row : rows) {
    auto& line = cells.emplace_back();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      auto const* const value = row.is_object() ? row.get_object().if_contains(columns[i].first) : nullptr;
      line.push_back(value == nullptr ? "-" : cell(*value));
      widths[i] = std::max(widths[i], line.back().size());
    }
  }
  std::string out;
  for (auto const& line : cells) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      out += line[i];
      bool const last = i + 1 == line.size();
      out += last ? "\n" : std::string(widths[i] - line[i].size() + 2, ' ');
    }
  }
  return out;
}

}  // namespace commands
