#include "dns-backend/protocol/reply.hpp"

#include <array>
#include <charconv>

namespace remote {
namespace {

void append_field(std::string& out, std::string_view key, std::int64_t value) {
  if (value != 0) {
    out += key;
    append_number(out, value);
  }
}

void append_domain(std::string& out, store::Zone const& zone, bool complete) {
  out += "{\"id\":";
  append_number(out, zone.id);
  out += ",\"zone\":";
  append_string(out, zone.apex.text());
  if (zone.kind != "native") {
    out += ",\"kind\":";
    append_string(out, zone.kind);
  }
  if (complete) {
    for (std::size_t i = 0; i < zone.masters.size(); ++i) {
      out += i == 0 ? ",\"masters\":[" : ",";
      append_string(out, zone.masters[i]);
    }
    out += zone.masters.empty() ? "" : "]";
    append_field(out, ",\"serial\":", zone.serial);
    append_field(out, ",\"notified_serial\":", zone.notified_serial);
    append_field(out, ",\"last_check\":", zone.last_check_s);
  }
  out += '}';
}

}  // namespace

namespace {

void append_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto const octet = static_cast<unsigned char>(text[i]);
    if (octet >= 0x20 && octet != '"' && octet != '\\' && octet != 0x7f) {
      continue;
    }
    out.append(text, start, i - start);
    start = i + 1;
    if (octet == '"' || octet == '\\') {
      out += '\\';
      out += text[i];
    } else {
      out += "\\u00";
      out += hex[octet >> 4U];
      out += hex[octet & 15U];
    }
  }
  out.append(text, start);
}

}  // namespace

std::string json_text(std::string_view text) {
  std::string out;
  append_escaped(out, text);
  return out;
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

void append_number(std::string& out, std::int64_t number) {
  std::array<char, 24> digits{};
  auto const [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  ASSERT(error == std::errc());
  out.append(digits.data(), end);
}

RowList::RowList(std::string& out) : out_(out) {
  out_ += "{\"result\":[";
}

void RowList::separate() {
  if (count_++ > 0) {
    out_ += ',';
  }
}

void RowList::add(Row const& row) {
  separate();
  out_ += "{\"qname\":\"";
  out_ += row.qname;
  out_ += "\",\"qtype\":\"";
  out_ += row.qtype;
  out_ += "\",\"content\":";
  append_string(out_, row.content);
  out_ += ",\"ttl\":";
  append_number(out_, row.ttl);
  out_ += ",\"domain_id\":";
  append_number(out_, row.zone_id);
  out_ += row.auth ? ",\"auth\":1" : ",\"auth\":0";
  if (row.scope_bits) {
    out_ += ",\"scopeMask\":";
    append_number(out_, *row.scope_bits);
  }
  out_ += '}';
}

void RowList::add(store::Zone const& zone, bool complete) {
  separate();
  append_domain(out_, zone, complete);
}

void RowList::finish() {
  out_ += "]}\n";
}

void reply_bool(std::string& out, bool value) {
  out += value ? "{\"result\":true}\n" : "{\"result\":false}\n";
}

void reply_number(std::string& out, std::int64_t value) {
  out += "{\"result\":";
  append_number(out, value);
  out += "}\n";
}

void reply_string(std::string& out, std::string_view value) {
  out += "{\"result\":";
  append_string(out, value);
  out += "}\n";
}

void reply_refusal(std::string& out, std::string_view reason) {
  out += "{\"result\":false,\"log\":[";
  append_string(out, reason);
  out += "]}\n";
}

void reply_domain(std::string& out, store::Zone const& zone) {
  out += "{\"result\":";
  append_domain(out, zone, true);
  out += "}\n";
}

}  // namespace remote
