// What a CA makes of CAA records, written from RFC 8659 and RFC 8657 alone, not by the code under test.
//
// Threads: pure functions.
#pragma once

#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace test {

// Contents of the CAA RRset at a name, CNAMEs followed: `0 issue "ca.example"`.
using CaaAnswers = std::function<std::vector<std::string>(std::string name)>;

inline std::string without_blanks_around(std::string text) {
  while (!text.empty() && text.front() == ' ') {
    text.erase(0, 1);
  }
  while (!text.empty() && text.back() == ' ') {
    text.pop_back();
  }
  return text;
}

inline std::vector<std::string> parts_of(std::string const& text, char by) {
  std::vector<std::string> parts(1);
  for (char const c : text) {
    if (c == by) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  for (std::string& part : parts) {
    part = without_blanks_around(part);
  }
  return parts;
}

// RFC 8659 section 4.2, RFC 8657 sections 3 and 4.
inline bool caa_value_permits(std::string const& value, std::string const& identity, std::string const& account,
                              std::string const& method) {
  std::vector<std::string> const parts = parts_of(value, ';');
  bool good = parts.front() == identity;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    std::size_t const equals = parts[i].find('=');
    std::string const tag = parts[i].substr(0, equals);
    std::string const wanted = equals == std::string::npos ? "" : parts[i].substr(equals + 1);
    if (tag == "accounturi") {
      good = good && wanted == account;
    } else if (tag == "validationmethods") {
      bool named = false;
      for (std::string const& one : parts_of(wanted, ',')) {
        named = named || one == method;
      }
      good = good && named;
    }
  }
  return good;
}

// Empty: issuing is permitted (RFC 8659 section 3); else why not.
inline std::string caa_forbids(CaaAnswers const& answers, std::string const& name, bool wildcard,
                               std::string const& identity, std::string const& account, std::string const& method) {
  for (std::string at = name; !at.empty(); at = at.find('.') == std::string::npos ? "" : at.substr(at.find('.') + 1)) {
    std::vector<std::pair<std::string, std::string>> properties;  // tag, value
    for (std::string const& content : answers(at)) {
      std::size_t const first = content.find(' ');
      std::size_t const second = content.find(' ', first + 1);
      std::string const value = content.substr(second + 1);
      properties.emplace_back(content.substr(first + 1, second - first - 1), value.substr(1, value.size() - 2));
    }
    if (properties.empty()) {
      continue;
    }
    bool issue_wild = false;
    for (auto const& [tag, value] : properties) {
      issue_wild = issue_wild || tag == "issuewild";
    }
    std::string const tag = wildcard && issue_wild ? "issuewild" : "issue";
    bool asked = false;
    bool good = false;
    for (auto const& [one, value] : properties) {
      asked = asked || one == tag;
      good = good || (one == tag && caa_value_permits(value, identity, account, method));
    }
    return !asked || good ? std::string() : "CAA records at " + at + " forbid issuance";
  }
  return {};
}

}  // namespace test
