// Answers against docs/openapi.yaml: everything an answer holds is described, and what is promised is there. The
// document is read line by line in the one form it is written in.
//
// Threads: plain values, one owner.
#pragma once

#include "dns-backend/api/tenants/openapi.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <cctype>
#include <set>
#include <sstream>
#include <string>
#include <utility>

namespace test {

class Described {
 public:
  // "GET /v1/tenants" of each.
  [[nodiscard]] static std::set<std::string> routes() {
    std::set<std::string> out;
    std::string path;
    std::istringstream text{std::string(api::openapi_yaml())};
    for (std::string line; std::getline(text, line) && line != "components:";) {
      if (line.starts_with("  /") && line.ends_with(':')) {
        path = line.substr(2, line.size() - 3);
      } else if (line.starts_with("    ") && line.ends_with(':') && line[4] != ' ' && line != "    parameters:") {
        std::string method = line.substr(4, line.size() - 5);
        std::ranges::transform(method, method.begin(), [](unsigned char c) { return std::toupper(c); });
        out.insert(method + " " + path);
      }
    }
    return out;
  }

  static void expect_form(boost::json::value const& value, std::string const& schema) {
    auto const [known, required] = fields(schema);
    ASSERT_FALSE(known.empty()) << schema;
    ASSERT_TRUE(value.is_object()) << schema;
    for (auto const& member : value.get_object()) {
      EXPECT_TRUE(known.contains(std::string(member.key()))) << schema << " says nothing of '" << member.key() << "'";
    }
    for (std::string const& field : required) {
      EXPECT_TRUE(value.get_object().contains(field)) << schema << " promises '" << field << "'";
    }
  }
  // The first item of a list that is not empty.
  static void expect_first(boost::json::value const& value, char const* list, std::string const& schema) {
    ASSERT_FALSE(value.at(list).as_array().empty()) << list;
    expect_form(value.at(list).as_array().at(0), schema);
  }

 private:
  // The fields of a schema, and which of them are required.
  static std::pair<std::set<std::string>, std::set<std::string>> fields(std::string const& schema) {
    std::pair<std::set<std::string>, std::set<std::string>> out;
    std::istringstream text{std::string(api::openapi_yaml())};
    std::string line;
    while (std::getline(text, line) && line != "    " + schema + ":") {
    }
    while (std::getline(text, line) && line.starts_with("      ")) {
      if (std::string const head = "      required: ["; line.starts_with(head)) {
        std::istringstream names(line.substr(head.size(), line.size() - head.size() - 1));
        for (std::string name; std::getline(names, name, ',');) {
          out.second.insert(name.substr(std::min(name.size(), name.find_first_not_of(' '))));
        }
        out.second.erase("");
      } else if (line.starts_with("        ") && line[8] != ' ') {
        out.first.insert(line.substr(8, line.find(':') - 8));
      }
    }
    return out;
  }
};

}  // namespace test
