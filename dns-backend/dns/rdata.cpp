#include "dns-backend/dns/ldns.hpp"
#include "dns-backend/dns/rrset.hpp"

#include <charconv>
#include <optional>
#include <span>

namespace dns {
namespace {

constexpr std::size_t content_max = 4 * 65535;  // each octet may be written \DDD

base::Failure bad(RRType type, std::string_view content, std::string_view why) {
  constexpr std::size_t shown_max = 80;
  std::string shown(content.substr(0, shown_max));
  shown += content.size() > shown_max ? "..." : "";
  return base::fail(errc::bad_rdata, "'" + shown + "' is no " + to_text(type) + " content: " + std::string(why));
}

// Cuts at blanks outside quotes. nullptr, or why the text is not one line of rdata.
char const* split(std::string_view content, std::vector<std::string>& tokens) {
  bool quoted = false;
  bool inside = false;
  for (std::size_t i = 0; i < content.size(); ++i) {
    char const c = content[i];
    if (c == '\n' || c == '\r' || c == '\0') {
      return "it has a line break or a zero octet; write \\010 or \\000";
    }
    if (!quoted && (c == ' ' || c == '\t')) {
      inside = false;
      continue;
    }
    if (!quoted && (c == ';' || c == '(' || c == ')')) {
      return "';' and parentheses must stand in quotes or behind a backslash";
    }
    if (!inside) {
      tokens.emplace_back();
      inside = true;
    }
    tokens.back().push_back(c);
    if (c == '\\') {
      if (i + 1 == content.size()) {
        return "it ends with a backslash";
      }
      tokens.back().push_back(content[++i]);
    } else if (c == '"') {
      quoted = !quoted;
    }
  }
  return quoted ? "a quote is not closed" : nullptr;
}

std::string join(std::span<std::string const> tokens) {
  std::string text;
  for (std::string const& token : tokens) {
    text += text.empty() ? "" : " ";
    text += token;
  }
  return text;
}

bool is_ascii(std::string_view text) {
  for (char const c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) {
      return false;
    }
  }
  return true;
}

// ldns cuts numbers off at the width of their field without a word: 70000 becomes 4464.
bool fits(std::string_view token, unsigned bits) {
  std::uint64_t value = 0;
  auto const [stop, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  return error == std::errc{} && stop == token.data() + token.size() && value < std::uint64_t{1} << bits;
}

// A name among the rdata: U-labels become A-labels; what has no final dot stays relative.
std::optional<std::string> ascii_name(std::string const& token) {
  auto const name = Name::parse(token);
  if (!name) {
    return std::nullopt;
  }
  return token.ends_with('.') ? name->text() : name->text().substr(0, name->text().size() - 1);
}

// Checks and mends the leading fields, as long as each field is one token. Empty, or what is wrong.
std::string check_fields(RRType type, std::vector<std::string>& tokens, bool has_origin) {
  ldns_rr_descriptor const* const descriptor = ldns_rr_descript(type.value);
  std::size_t const fields = ldns_rr_descriptor_maximum(descriptor);
  for (std::size_t i = 0; i < tokens.size() && i < fields; ++i) {
    unsigned bits = 0;
    switch (ldns_rr_descriptor_field_type(descriptor, i)) {
      case LDNS_RDF_TYPE_DNAME:
        if (tokens[i] == "@" && !has_origin) {
          return "'@' needs an origin; write the name in full";
        }
        if (!is_ascii(tokens[i])) {
          auto const name = ascii_name(tokens[i]);
          if (!name) {
            return "'" + tokens[i] + "' is no domain name";
          }
          tokens[i] = *name;
        }
        break;
      case LDNS_RDF_TYPE_INT8:
        bits = 8;
        break;
      case LDNS_RDF_TYPE_INT16:
        bits = 16;
        break;
      case LDNS_RDF_TYPE_INT32:
        bits = 32;
        break;
      default:
        break;
    }
    if (bits != 0 && !fits(tokens[i], bits)) {
      return "'" + tokens[i] + "' is no number of " + std::to_string(bits) + " bits";
    }
  }
  return {};
}

RecordPtr parse_record(RRType type, std::string const& content, Name const& origin, ldns_status& status) {
  RdataPtr const origin_rdata(ldns_dname_new_frm_str(origin.text().c_str()));
  ldns_rr* record = nullptr;
  ldns_rdf* previous = nullptr;
  // The number names types that ldns does not know; for those it does, the mnemonic is what it wants.
  std::string const line = "x. 0 IN " + to_text(type) + " " + content;
  status = ldns_rr_new_frm_str(&record, line.c_str(), 0, origin_rdata.get(), &previous);
  RdataPtr const owner(previous);
  return RecordPtr(status == LDNS_STATUS_OK ? record : nullptr);
}

// Presentation form of every field, names escaped our way.
std::optional<std::string> print(ldns_rr const& record) {
  std::string text;
  for (std::size_t i = 0; i < ldns_rr_rd_count(&record); ++i) {
    ldns_rdf const* const field = ldns_rr_rdf(&record, i);
    TextPtr const printed(ldns_rdf2str(field));
    if (printed == nullptr) {
      return std::nullopt;
    }
    std::string part(printed.get());
    if (ldns_rdf_get_type(field) == LDNS_RDF_TYPE_DNAME) {
      auto const name = Name::parse(part);
      if (!name) {
        return std::nullopt;
      }
      part = name->text();
    } else if (ldns_rdf_get_type(field) == LDNS_RDF_TYPE_CERT_ALG) {
      part = std::to_string(ldns_rdf2native_int16(field));  // PowerDNS reads numbers only
    }
    while (part.ends_with(' ')) {
      part.pop_back();
    }
    text += text.empty() || part.empty() ? "" : " ";
    text += part;
  }
  return text.empty() ? "\\# 0" : text;
}

// ALIAS and LUA are PowerDNS's: ldns has never heard of them.
base::Result<std::string> normalize_private(RRType type, std::vector<std::string> const& tokens, Name const& origin) {
  std::string const content = join(tokens);
  if (type == type_alias) {
    if (tokens.size() != 1) {
      return bad(type, content, "one name is expected");
    }
    auto const name = Name::parse(tokens[0], origin);
    return name ? base::Result<std::string>(name->text()) : name.error();
  }
  if (tokens.size() < 2 || !parse_type(tokens[0])) {
    return bad(type, content, "a record type and a quoted program are expected");
  }
  for (std::string const& token : std::span(tokens).subspan(1)) {
    if (!token.starts_with('"')) {
      return bad(type, content, "the program must be quoted");
    }
  }
  return content;
}

bool too_long_string(RRType type, std::vector<std::string> const& tokens) {
  constexpr std::size_t string_max = 255;
  constexpr RRType type_spf{99};
  if (type != type_txt && type != type_spf) {
    return false;
  }
  for (std::string const& token : tokens) {
    std::size_t octets = 0;
    for (std::size_t i = 0; i < token.size(); ++i) {
      if (token[i] == '"') {
        continue;
      }
      if (token[i] == '\\') {
        i += token[i + 1] >= '0' && token[i + 1] <= '9' ? 3U : 1U;
      }
      ++octets;
    }
    if (octets > string_max) {
      return true;
    }
  }
  return false;
}

}  // namespace

base::Result<std::string> normalize_content(RRType type, std::string_view content, Name const& origin) {
  if (!is_storable(type)) {
    return base::fail(errc::bad_type, "no zone can hold records of type " + to_text(type));
  }
  if (content.size() > content_max) {
    return bad(type, content, "it is longer than any rdata");
  }
  std::vector<std::string> tokens;
  if (char const* const why = split(content, tokens)) {
    return bad(type, content, why);
  }
  bool const generic = !tokens.empty() && tokens[0] == "\\#";  // RFC 3597
  if ((type == type_alias || type == type_lua) && !generic) {
    return normalize_private(type, tokens, origin);
  }
  if (!generic) {
    if (too_long_string(type, tokens)) {
      return bad(type, content, "a string is longer than 255 octets; write several strings");
    }
    if (std::string const why = check_fields(type, tokens, !origin.is_root()); !why.empty()) {
      return bad(type, content, why);
    }
  }
  ldns_status status = LDNS_STATUS_OK;
  RecordPtr const record = parse_record(type, join(tokens), origin, status);
  if (record == nullptr) {
    return bad(type, content, ldns_get_errorstr_by_id(status));
  }
  ldns_rr2canonical(record.get());
  auto const text = print(*record);
  // What ldns prints must mean what it read: it does not for some quoted SVCB values.
  RecordPtr const again = text ? parse_record(type, *text, {}, status) : nullptr;
  if (again == nullptr || ldns_rr_compare(record.get(), again.get()) != 0) {
    return bad(type, content, "it has no faithful presentation form");
  }
  return *text;
}

namespace {

// Begin and length of the serial: the third word.
std::pair<std::size_t, std::size_t> serial_place(std::string_view content) {
  std::size_t const first = content.find(' ');
  std::size_t const second = first == std::string_view::npos ? first : content.find(' ', first + 1);
  ASSERT(second != std::string_view::npos);
  std::size_t const end = std::min(content.find(' ', second + 1), content.size());
  return {second + 1, end - second - 1};
}

}  // namespace

std::uint32_t soa_serial(std::string_view content) {
  auto const [begin, length] = serial_place(content);
  std::uint32_t serial = 0;
  std::from_chars(content.data() + begin, content.data() + begin + length, serial);
  return serial;
}

std::uint32_t soa_refresh(std::string_view content) {
  auto const [begin, length] = serial_place(content);
  std::uint32_t refresh = 0;
  std::size_t const next = std::min(begin + length + 1, content.size());
  std::from_chars(content.data() + next, content.data() + content.size(), refresh);
  return refresh;
}

std::string with_soa_serial(std::string_view content, std::uint32_t serial) {
  auto const [begin, length] = serial_place(content);
  return std::string(content.substr(0, begin)) + std::to_string(serial) + std::string(content.substr(begin + length));
}

bool serial_after(std::uint32_t a, std::uint32_t b) {
  return a != b && a - b < 0x80000000U;
}

}  // namespace dns
