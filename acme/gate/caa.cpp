#include "acme/gate/caa.hpp"

#include <algorithm>
#include <cctype>

namespace acme {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view trim(std::string_view text) {
  auto const blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

// What stands before the next ';', which is taken away with it.
std::string_view next_part(std::string_view& rest) {
  std::size_t const end = std::min(rest.find(';'), rest.size());
  std::string_view const part = trim(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

bool lists(std::string_view methods, std::string_view method) {
  while (!methods.empty()) {
    std::size_t const end = std::min(methods.find(','), methods.size());
    if (trim(methods.substr(0, end)) == method) {
      return true;
    }
    methods.remove_prefix(std::min(end + 1, methods.size()));
  }
  return false;
}

// Whether this property's value names the CA and its conditions hold for us.
bool permits(std::string_view value, CaaQuestion const& question) {
  std::string const issuer = lower(next_part(value));
  if (std::ranges::find(question.identities, issuer) == question.identities.end()) {
    return false;
  }
  while (!value.empty()) {
    std::string_view const part = next_part(value);
    std::size_t const equals = part.find('=');
    std::string const tag = lower(trim(part.substr(0, equals)));
    std::string_view const wanted =
        equals == std::string_view::npos ? std::string_view() : trim(part.substr(equals + 1));
    if (tag == "accounturi" && wanted != question.account_url) {
      return false;
    }
    if (tag == "validationmethods" && !lists(wanted, question.method)) {
      return false;
    }
  }
  return true;
}

bool known(std::string const& tag) {
  return tag == "issue" || tag == "issuewild" || tag == "iodef" || tag == "issuemail" || tag == "contactemail" ||
         tag == "contactphone" || tag == "issuevmc";
}

std::string judge(std::vector<CaaRecord> const& records, bool wildcard, CaaQuestion const& question) {
  for (CaaRecord const& record : records) {
    if (record.critical && !known(record.tag)) {
      return "has the critical property '" + record.tag + "', which no CA may pass over";
    }
  }
  auto const has = [&records](std::string_view tag) {
    return std::ranges::any_of(records, [tag](CaaRecord const& record) { return record.tag == tag; });
  };
  std::string_view const tag = wildcard && has("issuewild") ? "issuewild" : "issue";
  if (!has(tag)) {
    return {};
  }
  bool const good = std::ranges::any_of(
      records, [&](CaaRecord const& record) { return record.tag == tag && permits(record.value, question); });
  return good ? std::string() : "permits other authorities, accounts or methods only (" + std::string(tag) + ")";
}

}  // namespace

std::optional<CaaRecord> parse_caa(std::string_view content) {
  std::size_t const first = content.find(' ');
  std::size_t const second = first == std::string_view::npos ? first : content.find(' ', first + 1);
  if (second == std::string_view::npos) {
    return std::nullopt;
  }
  unsigned flags = 0;
  for (char const c : content.substr(0, first)) {
    if (c < '0' || c > '9' || flags > 255) {
      return std::nullopt;
    }
    flags = flags * 10 + static_cast<unsigned>(c - '0');
  }
  std::string_view value = trim(content.substr(second + 1));
  if (value.size() < 2 || value.front() != '"' || value.back() != '"' || flags > 255) {
    return std::nullopt;
  }
  return CaaRecord{(flags & 128U) != 0, lower(content.substr(first + 1, second - first - 1)),
                   std::string(value.substr(1, value.size() - 2))};
}

std::string caa_refusal(std::string const& name, CaaQuestion const& question, CaaLookup const& lookup) {
  bool const wildcard = name.starts_with("*.");
  std::string at = wildcard ? name.substr(2) : name;
  while (!question.identities.empty() && !at.empty()) {
    std::vector<CaaRecord> records;
    for (std::string const& content : lookup(at)) {
      // What cannot be read is counted as a property nobody knows, so that it never permits.
      records.push_back(parse_caa(content).value_or(CaaRecord{true, content, {}}));
    }
    if (!records.empty()) {
      std::string const why = judge(records, wildcard, question);
      return why.empty() ? std::string() : "the CAA RRset at '" + at + "' " + why;
    }
    std::size_t const dot = at.find('.');
    at = dot == std::string::npos ? std::string() : at.substr(dot + 1);
  }
  return {};
}

}  // namespace acme
