#include "dns-backend/dns/name.hpp"

#include "dns-backend/dns/present.hpp"

#include <idn2.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace dns {
namespace {

constexpr std::size_t label_max = 63;
constexpr std::size_t wire_max = 255;

// Boost's category has no virtual destructor; categories are static objects and never deleted.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
 public:
  [[nodiscard]] char const* name() const noexcept override { return "dns"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::bad_name:
        return "not a domain name";
      case errc::bad_type:
        return "unknown record type";
      case errc::bad_rdata:
        return "not valid content of its type";
      case errc::not_in_zone:
        return "outside the zone";
      case errc::conflict:
        return "in conflict with other records";
    }
    return "unknown dns error";
  }
};
#pragma GCC diagnostic pop

base::Failure bad(std::string_view text, std::string_view why) {
  return base::fail(errc::bad_name,
                    "'" + std::string(text.substr(0, wire_max)) + "' is no domain name: " + std::string(why));
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// A U-label (raw UTF-8) as its A-label; empty when IDNA2008 does not allow it. The TR46 mapping comes first, as in
// browsers, so that people may write capitals.
std::string to_a_label(std::string const& label) {
  char* out = nullptr;
  int const status = idn2_to_ascii_8z(label.c_str(), &out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  std::unique_ptr<char, void (*)(void*)> const owner(out, &idn2_free);
  if (status != IDN2_OK) {
    return {};
  }
  std::string result(out);
  // A mapping may yield a dot (U+3002) or nothing: then it was not one label.
  return result.find('.') == std::string::npos ? result : std::string{};
}

// Reads octets and finds the labels; the octets of all labels lie one after another.
class Reader {
 public:
  // nullptr, or why `text` is no name.
  char const* read(std::string_view text) {
    if (text.empty()) {
      return "it is empty";
    }
    if (text == ".") {
      return nullptr;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
      char const c = text[i];
      if (c == '.') {
        if (char const* const why = end_label()) {
          return why;
        }
        continue;
      }
      if (c == '\\') {
        escaped_ = true;
        if (!unescape(text, i)) {
          return "a backslash must be followed by a character or by three digits up to 255";
        }
        continue;
      }
      raw8_ = raw8_ || static_cast<unsigned char>(c) >= 0x80;
      octets_.push_back(lower(c));
      if (octets_.size() > 4 * wire_max) {
        return "it is longer than 255 octets";
      }
    }
    if (octets_.size() > begin_) {
      if (char const* const why = end_label()) {
        return why;
      }
    }
    return octets_.size() + ends_.size() + 1 > wire_max ? "it is longer than 255 octets" : nullptr;
  }
  [[nodiscard]] std::size_t labels() const { return ends_.size(); }
  [[nodiscard]] std::string_view label(std::size_t index) const {
    std::size_t const begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(octets_).substr(begin, ends_[index] - begin);
  }

 private:
  bool unescape(std::string_view text, std::size_t& i) {
    if (i + 1 >= text.size()) {
      return false;
    }
    if (!is_digit(text[i + 1])) {
      octets_.push_back(lower(text[++i]));
      return true;
    }
    if (i + 3 >= text.size() || !is_digit(text[i + 2]) || !is_digit(text[i + 3])) {
      return false;
    }
    int const value = (text[i + 1] - '0') * 100 + (text[i + 2] - '0') * 10 + (text[i + 3] - '0');
    i += 3;
    octets_.push_back(lower(static_cast<char>(value)));
    return value <= 255;
  }
  char const* end_label() {
    if (octets_.size() == begin_) {
      return "it has an empty label";
    }
    if (raw8_) {
      if (escaped_) {
        return "a label mixes characters outside ASCII with escapes";
      }
      std::string const ascii = to_a_label(octets_.substr(begin_));
      if (ascii.empty()) {
        return "a label is not allowed by IDNA2008";
      }
      octets_.replace(begin_, std::string::npos, ascii);
    }
    if (octets_.size() - begin_ > label_max) {
      return "a label is longer than 63 octets";
    }
    begin_ = octets_.size();
    ends_.push_back(begin_);
    raw8_ = false;
    escaped_ = false;
    return nullptr;
  }

  std::string octets_;
  std::vector<std::size_t> ends_;
  std::size_t begin_ = 0;
  bool raw8_ = false;     // the label holds raw octets >= 0x80: a U-label
  bool escaped_ = false;  // the label holds escapes: octets, not characters
};

// Length of the first label in presentation form, its dot included.
std::size_t first_label_text(std::string_view text) {
  std::size_t i = 0;
  while (text[i] != '.') {
    i += text[i] == '\\' ? (is_digit(text[i + 1]) ? 4U : 2U) : 1U;
  }
  return i + 1;
}

// Length of the first label inside a key, its terminator included: one for each octet, two for an octet zero.
std::size_t first_label_key(std::string_view text) {
  std::size_t length = 2;
  for (std::size_t i = 0; text[i] != '.'; ++length) {
    bool const zero = text.substr(i, 4) == "\\000";
    length += zero ? 1 : 0;
    i += text[i] == '\\' ? (is_digit(text[i + 1]) ? 4U : 2U) : 1U;
  }
  return length;
}

// Calls visit(label octets) for each label from the left.
template <class Visit>
void for_each_label(std::string_view text, Visit const& visit) {
  std::string octets;
  for (std::size_t i = 0; text != "." && i < text.size(); ++i) {
    if (text[i] == '.') {
      visit(octets);
      octets.clear();
    } else if (text[i] == '\\' && is_digit(text[i + 1])) {
      octets.push_back(static_cast<char>((text[i + 1] - '0') * 100 + (text[i + 2] - '0') * 10 + (text[i + 3] - '0')));
      i += 3;
    } else {
      octets.push_back(text[i] == '\\' ? text[++i] : text[i]);
    }
  }
}

}  // namespace

void append_escaped(std::string& text, char c) {
  auto const octet = static_cast<unsigned char>(c);
  switch (c) {
    case '.':
    case '\\':
    case '"':
    case ';':
    case '(':
    case ')':
    case '@':
    case '$':
      text.push_back('\\');
      text.push_back(c);
      return;
    default:
      break;
  }
  if (octet > 0x20 && octet < 0x7f) {
    text.push_back(c);
    return;
  }
  text.push_back('\\');
  text.push_back(static_cast<char>('0' + octet / 100));
  text.push_back(static_cast<char>('0' + octet / 10 % 10));
  text.push_back(static_cast<char>('0' + octet % 10));
}

boost::system::error_code make_error_code(errc code) {
  static Category const category;
  return {static_cast<int>(code), category};
}

base::Result<Name> Name::parse(std::string_view text) {
  Reader reader;
  if (char const* const why = reader.read(text)) {
    return bad(text, why);
  }
  Name name;
  name.labels_ = reader.labels();
  if (name.labels_ == 0) {
    return name;
  }
  name.text_.clear();
  name.text_.reserve(text.size() + 1);
  for (std::size_t i = 0; i < name.labels_; ++i) {
    for (char const c : reader.label(i)) {
      append_escaped(name.text_, c);
    }
    name.text_.push_back('.');
  }
  name.key_.reserve(text.size() + name.labels_ + 2);
  for (std::size_t i = name.labels_; i-- > 0;) {
    for (char const c : reader.label(i)) {
      name.key_.push_back(c);
      if (c == '\0') {
        name.key_.push_back('\1');
      }
    }
    name.key_.append(2, '\0');
  }
  return name;
}

base::Result<Name> Name::parse(std::string_view text, Name const& origin) {
  if (text == "@") {
    return origin;
  }
  bool const dot = text.ends_with('.');
  std::string_view const stem = text.substr(0, text.size() - (dot ? 1 : 0));
  std::size_t const last = stem.find_last_not_of('\\');
  bool const odd = (stem.size() - (last == std::string_view::npos ? 0 : last + 1)) % 2 == 1;
  // Behind an odd number of backslashes the final dot is an octet of the label; without a dot they escape nothing.
  if (dot != odd || text.empty() || origin.is_root()) {
    return parse(text);
  }
  return parse(std::string(text) + "." + origin.text_);
}

Name Name::from_key(std::string_view key) {
  Name name;
  name.key_ = key;
  name.text_.clear();
  std::size_t end = key.size();
  // Labels stand from the right end of the name, each ended by two zeros; so the last one is the first of the text.
  std::array<std::size_t, wire_max / 2 + 1> begins{};
  for (std::size_t at = 0; at < key.size();) {
    ASSERT(name.labels_ < begins.size());
    begins[name.labels_++] = at;
    while (at + 1 < key.size() && (key[at] != '\0' || key[at + 1] != '\0')) {
      at += key[at] == '\0' ? 2U : 1U;
    }
    ASSERT(at + 1 < key.size());
    at += 2;
  }
  for (std::size_t i = name.labels_; i-- > 0; end = begins[i]) {
    for (std::size_t at = begins[i]; at + 2 < end; ++at) {
      append_escaped(name.text_, key[at]);
      at += key[at] == '\0' ? 1U : 0U;
    }
    name.text_.push_back('.');
  }
  if (name.labels_ == 0) {
    name.text_ = ".";
  }
  return name;
}

bool KeyBuffer::read(std::string_view text) {
  begin_ = octets_.size();
  if (text == ".") {
    return true;
  }
  std::array<char, 2 * label_max> label{};
  std::size_t size = 0;    // of the label as it is written
  std::size_t octets = 0;  // of the label
  std::size_t wire = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '.') {
      wire += octets + 1;
      if (octets == 0 || wire > wire_max) {
        return false;
      }
      begin_ -= size + 2;
      octets_[begin_ + size] = '\0';
      octets_[begin_ + size + 1] = '\0';
      std::copy_n(label.begin(), size, octets_.begin() + static_cast<std::ptrdiff_t>(begin_));
      size = octets = 0;
      continue;
    }
    if (c == '\\') {
      if (++i >= text.size()) {
        return false;
      }
      c = text[i];
      if (is_digit(c)) {
        if (i + 2 >= text.size() || !is_digit(text[i + 1]) || !is_digit(text[i + 2])) {
          return false;
        }
        int const value = (c - '0') * 100 + (text[i + 1] - '0') * 10 + (text[i + 2] - '0');
        if (value > 255) {
          return false;
        }
        c = static_cast<char>(value);
        i += 2;
      }
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      return false;
    }
    if (octets == label_max) {
      return false;
    }
    label[size++] = lower(c);
    if (c == '\0') {
      label[size++] = '\1';
    }
    ++octets;
  }
  return octets == 0 && begin_ < octets_.size();
}

std::string_view parent_key(std::string_view key) {
  std::size_t last = 0;
  for (std::size_t at = 0; at + 1 < key.size();) {
    if (key[at] == '\0' && key[at + 1] == '\0') {
      at += 2;
      last = at < key.size() ? at : last;
    } else {
      at += key[at] == '\0' ? 2U : 1U;
    }
  }
  return key.substr(0, last);
}

Name Name::parent() const {
  if (labels_ <= 1) {
    return {};
  }
  std::size_t const cut = first_label_text(text_);
  Name name;
  name.text_ = text_.substr(cut);
  name.labels_ = labels_ - 1;
  name.key_ = key_.substr(0, key_.size() - first_label_key(text_));
  return name;
}

bool Name::is_within(Name const& ancestor) const {
  return key_.starts_with(ancestor.key_);
}

std::string Name::relative_to(Name const& apex) const {
  ASSERT(is_within(apex));
  if (labels_ == apex.labels_) {
    return ".";
  }
  return apex.is_root() ? text_ : text_.substr(0, text_.size() - apex.text_.size());
}

std::string Name::wire() const {
  std::string wire;
  wire.reserve(text_.size() + 1);
  for_each_label(text_, [&wire](std::string const& label) {
    wire.push_back(static_cast<char>(label.size()));
    wire += label;
  });
  wire.push_back('\0');
  return wire;
}

base::Result<Name> Name::child(std::string_view label) const {
  auto name = parse(std::string(label) + "." + (is_root() ? "" : text_));
  if (name && name->labels_ != labels_ + 1) {
    return bad(label, "it is not one label");
  }
  return name;
}

}  // namespace dns
