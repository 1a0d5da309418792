#include "dns-backend/dns/ldns.hpp"
#include "dns-backend/dns/present.hpp"
#include "dns-backend/dns/rrset.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>

namespace dns {
namespace {

constexpr RRType type_svcb{64};
constexpr RRType type_https{65};
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

// ldns cuts the port of SVCB and HTTPS off as well.
bool fits_port(std::string_view token) {
  constexpr std::string_view key = "port=";
  if (!token.starts_with(key)) {
    return true;
  }
  token.remove_prefix(key.size());
  bool const quoted = token.size() >= 2 && token.starts_with('"') && token.ends_with('"');
  return fits(quoted ? token.substr(1, token.size() - 2) : token, 16);
}

// Checks and mends the leading fields, as long as each field is one token. Empty, or what is wrong.
std::string check_fields(RRType layout, std::vector<std::string>& tokens, bool has_origin) {
  ldns_rr_descriptor const* const descriptor = ldns_rr_descript(layout.value);
  std::size_t const fields = ldns_rr_descriptor_maximum(descriptor);
  for (std::string const& token : tokens) {
    if ((layout == type_svcb || layout == type_https) && !fits_port(token)) {
      return "'" + token + "' is no port";
    }
  }
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
  ldns_rr_descriptor const* const descriptor = ldns_rr_descript(type.value);
  bool const named = descriptor != nullptr && descriptor->_name != nullptr;
  std::string const line =
      "x. 0 IN " + (named ? descriptor->_name : "TYPE" + std::to_string(type.value)) + " " + content;
  status = ldns_rr_new_frm_str(&record, line.c_str(), 0, origin_rdata.get(), &previous);
  RdataPtr const owner(previous);
  return RecordPtr(status == LDNS_STATUS_OK ? record : nullptr);
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

// Octets that one character or escape of a string stands for: how far the next one is.
std::size_t step(std::string_view text, std::size_t at) {
  if (text[at] != '\\' || at + 1 == text.size()) {
    return 1;
  }
  return std::min<std::size_t>(text[at + 1] >= '0' && text[at + 1] <= '9' ? 4U : 2U, text.size() - at);
}

// A string takes 255 octets; PowerDNS cuts longer ones (a pasted DKIM key), and so does this.
std::vector<std::string> cut_long_strings(std::vector<std::string> const& tokens) {
  constexpr std::size_t string_max = 255;
  std::vector<std::string> cut;
  for (std::string const& token : tokens) {
    std::string part;
    std::size_t octets = 0;
    for (std::size_t at = 0; at < token.size();) {
      std::size_t const length = step(token, at);
      if (token[at] != '"' && octets++ == string_max) {
        cut.push_back("\"" + part + "\"");
        part.clear();
        octets = 1;
      }
      part += token[at] == '"' ? "" : token.substr(at, length);
      at += length;
    }
    cut.push_back("\"" + part + "\"");
  }
  return cut;
}

// Types whose layout is another's and which ldns knows under that name only.
RRType layout_of(RRType type) {
  constexpr RRType type_key{25};
  constexpr RRType type_rkey{57};
  constexpr RRType type_ta{32768};
  return type == type_rkey ? type_key : type == type_ta ? type_ds : type;
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
    constexpr RRType type_spf{99};
    if (type == type_txt || type == type_spf) {
      tokens = cut_long_strings(tokens);
    }
    if (std::string const why = check_fields(layout_of(type), tokens, !origin.is_root()); !why.empty()) {
      return bad(type, content, why);
    }
  }
  ldns_status status = LDNS_STATUS_OK;
  RRType const layout = layout_of(type);
  RecordPtr const record = parse_record(layout, join(tokens), origin, status);
  if (record == nullptr) {
    return bad(type, content, ldns_get_errorstr_by_id(status));
  }
  ldns_rr2canonical(record.get());
  if (!is_known_to_powerdns(type)) {
    return present_generic(*record);
  }
  // What is written must mean what was read: ldns's own text does not for some quoted SVCB values.
  auto const text = present(*record, TypeNames::numbers);
  RecordPtr const again = text ? parse_record(layout, *text, {}, status) : nullptr;
  if (again == nullptr || ldns_rr_compare(record.get(), again.get()) != 0) {
    return bad(type, content, "it has no faithful presentation form");
  }
  return *present(*record, TypeNames::mnemonics);
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
