#include "dns-backend/tenants/label.hpp"

#include "dns-backend/look_alike/look_alike.hpp"

#include <idn2.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace tenants {
namespace {

constexpr std::size_t label_max = 63;  // octets; RFC 1035 2.3.4

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

std::string trimmed(std::string_view text) {
  auto const first = text.find_first_not_of(" \t");
  auto const last = text.find_last_not_of(" \t");
  return first == std::string_view::npos ? "" : std::string(text.substr(first, last - first + 1));
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// nullopt: IDNA2008 does not allow it.
std::optional<std::string> to_ascii(std::string const& text) {
  char* out = nullptr;
  int const status = idn2_to_ascii_8z(text.c_str(), &out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  std::unique_ptr<char, void (*)(void*)> const owner(out, &idn2_free);
  return status == IDN2_OK ? std::optional<std::string>(out) : std::nullopt;
}

// nullopt: it is no A-label, or another one than its own characters have.
std::optional<std::string> to_unicode(std::string const& label) {
  char* out = nullptr;
  int const status = idn2_to_unicode_8z8z(label.c_str(), &out, 0);
  std::unique_ptr<char, void (*)(void*)> const owner(out, &idn2_free);
  if (status != IDN2_OK) {
    return std::nullopt;
  }
  std::string text(out);
  return to_ascii(text) == label ? std::optional<std::string>(text) : std::nullopt;
}

bool is_reserved(std::string const& label) {
  bool const name_server = label.starts_with("ns") &&
                           std::all_of(label.begin() + 2, label.end(), [](char c) { return c >= '0' && c <= '9'; });
  return name_server || label.starts_with("edge-") || reserved_words().contains(label);
}

// The reserved word that people would take the label for; empty when there is none.
std::string reserved_look(std::string_view text) {
  std::string const seen = look_alike::skeleton(text);
  for (std::string const& word : reserved_words()) {
    if (look_alike::reads_as(seen, word)) {
      return word;
    }
  }
  return {};
}

LabelVerdict refusal(std::string problem, std::string hint) {
  return {{}, std::move(problem), std::move(hint)};
}

std::string instead(std::string_view text) {
  std::string const label = suggest_label(text);
  return label == "tenant" ? "a to z, 0 to 9 and '-' inside, at most 63" : "for instance '" + label + "'";
}

}  // namespace

std::set<std::string, std::less<>> const& reserved_words() {
  static std::set<std::string, std::less<>> const all{
      "acme",         "admin",     "administrator", "api",      "app",      "assets",    "auth",   "autoconfig",
      "autodiscover", "blog",      "cdn",           "default",  "dns",      "docs",      "edge",   "ftp",
      "global",       "health",    "help",          "imap",     "internal", "isatap",    "ldap",   "localhost",
      "login",        "mail",      "mcp",           "metrics",  "mx",       "navigator", "ns",     "pop",
      "postmaster",   "privateer", "root",          "security", "smtp",     "sovereign", "static", "status",
      "support",      "vpn",       "webmaster",     "wpad",     "www"};
  return all;
}

std::string suggest_label(std::string_view name) {
  std::string label;
  for (char const one : name) {
    char const c = one >= 'A' && one <= 'Z' ? static_cast<char>(one - 'A' + 'a') : one;
    if (is_alnum(c)) {
      label.push_back(c);
    } else if (!label.empty() && label.back() != '-') {
      label.push_back('-');
    }
  }
  label.resize(std::min(label.size(), label_max));
  while (label.ends_with('-')) {
    label.pop_back();
  }
  bool const encoding = label.size() > 3 && label[2] == '-' && label[3] == '-';
  return label.empty() || encoding || is_reserved(label) ? "tenant" : label;
}

LabelVerdict read_label(std::string_view given) {
  std::string label = trimmed(given);
  if (label.empty() || label.size() > 4 * label_max) {
    return refusal(label.empty() ? "the label is empty" : "the label is longer than 63 octets", instead(label));
  }
  std::ranges::transform(label, label.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  std::string seen = label;
  if (!is_ascii(label)) {
    auto const ascii = to_ascii(label);
    if (!ascii) {
      return refusal("its characters are not allowed in domain names (RFC 5892)", instead(label));
    }
    label = *ascii;
  }
  if (label.size() > label_max) {
    return refusal("the label is longer than 63 octets", "a shorter one: it is " + std::to_string(label.size()));
  }
  bool const characters = std::ranges::all_of(label, [](char c) { return is_alnum(c) || c == '-'; });
  if (!characters || label.front() == '-' || label.back() == '-') {
    return refusal("a label has 1 to 63 of a-z, 0-9 and '-', and '-' neither first nor last", instead(given));
  }
  if (label.size() > 3 && label[2] == '-' && label[3] == '-') {
    auto const unicode = label.starts_with("xn--") ? to_unicode(label) : std::nullopt;
    if (!unicode) {
      return refusal("'--' in the third place is kept for encodings (RFC 5891 4.2.3.1)", "another label");
    }
    seen = *unicode;
  }
  if (std::string const fault = look_alike::script_fault(seen); !fault.empty()) {
    return refusal(fault, "letters of one script that is in everyday use");
  }
  if (is_reserved(label)) {
    return refusal("the label is reserved", "another label, for instance '" + label.substr(0, 58) + "-tv'");
  }
  if (std::string const word = reserved_look(seen); !word.empty()) {
    return refusal("it would be read as '" + word + "', which is reserved", "another label");
  }
  return {label, {}, {}};
}

}  // namespace tenants
