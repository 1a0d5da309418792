#include "dns-backend/protocol/question.hpp"

#include "dns-backend/protocol/request.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace remote {
namespace {

// Walks over JSON text. Each step takes what it names and says whether it was there.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool symbol(char wanted) {
    blanks();
    if (at_ == end_ || *at_ != wanted) {
      return false;
    }
    ++at_;
    return true;
  }
  // A string as it stands between its quotes. Control characters end the attempt, since they may not stand there.
  std::optional<std::string_view> string() {
    if (!symbol('"')) {
      return std::nullopt;
    }
    char const* const begin = at_;
    for (; at_ != end_ && *at_ != '"'; ++at_) {
      if (static_cast<unsigned char>(*at_) < 0x20) {
        return std::nullopt;
      }
      if (*at_ == '\\' && ++at_ == end_) {
        return std::nullopt;
      }
    }
    if (at_ == end_) {
      return std::nullopt;
    }
    return std::string_view(begin, static_cast<std::size_t>(at_++ - begin));
  }
  std::optional<std::int64_t> integer() {
    blanks();
    std::int64_t value = 0;
    auto const [stop, error] = std::from_chars(at_, end_, value);
    if (error != std::errc() || (stop != end_ && (*stop == '.' || *stop == 'e' || *stop == 'E'))) {
      return std::nullopt;
    }
    char const* const digits = *at_ == '-' ? at_ + 1 : at_;
    if (*digits == '0' && stop - digits > 1) {
      return std::nullopt;  // 01 is no JSON
    }
    at_ = stop;
    return value;
  }
  bool finished() {
    blanks();
    return at_ == end_;
  }
  [[nodiscard]] bool at_string() {
    blanks();
    return at_ != end_ && *at_ == '"';
  }

 private:
  void blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) {
      ++at_;
    }
  }
  char const* at_;
  char const* end_;
};

// What the parameters hold; the views are of the line.
struct Fields {
  std::optional<std::string_view> qname;
  std::optional<std::string_view> qtype;
  std::string_view real_remote;
  std::string_view remote;
  std::int64_t zone_id = any_zone;
};

bool read_member(Cursor& cursor, Fields& fields) {
  auto const key = cursor.string();
  if (!key || !cursor.symbol(':')) {
    return false;
  }
  if (!cursor.at_string()) {
    auto const number = cursor.integer();
    if (!number || (*key == "zone-id" && *number < any_zone)) {
      return false;
    }
    fields.zone_id = *key == "zone-id" ? *number : fields.zone_id;
    return *key != "qname" && *key != "qtype" && *key != "real-remote" && *key != "remote";
  }
  auto const value = cursor.string();
  if (*key == "qname") {
    fields.qname = value;
  } else if (*key == "qtype") {
    fields.qtype = value;
  } else if (value && (*key == "real-remote" || *key == "remote")) {
    if (value->find('\\') != std::string_view::npos) {
      return false;
    }
    (*key == "remote" ? fields.remote : fields.real_remote) = *value;
  }
  return value.has_value() && *key != "zone-id" && key->find('\\') == std::string_view::npos;
}

bool read_parameters(Cursor& cursor, Fields& fields) {
  if (!cursor.symbol('{')) {
    return false;
  }
  do {
    if (!read_member(cursor, fields)) {
      return false;
    }
  } while (cursor.symbol(','));
  return cursor.symbol('}');
}

// Everything up to the parameters of `method`.
bool read_method(Cursor& cursor, std::string_view method) {
  return cursor.symbol('{') && cursor.string() == "method" && cursor.symbol(':') && cursor.string() == method &&
         cursor.symbol(',') && cursor.string() == "parameters" && cursor.symbol(':');
}

}  // namespace

geo::Client client_of(std::string_view real_remote, std::string_view remote) {
  for (std::string_view const text : {real_remote, remote}) {
    if (auto const client = geo::parse_client(text)) {
      bool const zeros =
          std::all_of(client->octets.begin(), client->octets.end(), [](std::uint8_t octet) { return octet == 0; });
      return zeros ? geo::Client() : *client;
    }
  }
  return {};
}

bool QuestionReader::take_name(std::string_view escaped) {
  if (escaped.size() > unescaped_.size()) {
    return false;
  }
  std::size_t size = 0;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] == '\\' && ++i < escaped.size() && escaped[i] != '\\' && escaped[i] != '"' && escaped[i] != '/') {
      return false;
    }
    unescaped_[size++] = escaped[i];
  }
  return key_.read({unescaped_.data(), size});
}

std::optional<Question> QuestionReader::read(std::string_view line) {
  Cursor cursor(line);
  Fields fields;
  bool const framed =
      read_method(cursor, "lookup") && read_parameters(cursor, fields) && cursor.symbol('}') && cursor.finished();
  if (!framed || !fields.qname || !fields.qtype || !take_name(*fields.qname)) {
    return std::nullopt;
  }
  auto const type = dns::parse_type(*fields.qtype);
  if (!type) {
    return std::nullopt;
  }
  // -1 travels as 4294967295 in the versions that declare ids unsigned.
  bool const any = fields.zone_id == std::numeric_limits<std::uint32_t>::max();
  return Question{*fields.qname, key_.key(), *type, any ? any_zone : fields.zone_id,
                  client_of(fields.real_remote, fields.remote)};
}

std::optional<std::string_view> QuestionReader::read_metadata(std::string_view line) {
  Cursor cursor(line);
  if (!read_method(cursor, "getAllDomainMetadata") || !cursor.symbol('{') || cursor.string() != "name" ||
      !cursor.symbol(':')) {
    return std::nullopt;
  }
  auto const name = cursor.string();
  bool const framed = name && cursor.symbol('}') && cursor.symbol('}') && cursor.finished();
  return framed && take_name(*name) ? std::optional(key_.key()) : std::nullopt;
}

}  // namespace remote
