#include "mesh/signed_world/signed_world.hpp"

#include "base/process/service.hpp"

#include <boost/json.hpp>

#include <charconv>

namespace signed_world {
namespace {

namespace json = boost::json;

// What else the key may sign some day must not be taken for a world.
constexpr std::string_view domain = "sovereign world 1\n";
constexpr std::string_view pin_heading = "sovereign-mesh 1";
constexpr std::size_t size_limit = 2 * plan::world_size_limit;  // text inside JSON is escaped

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> out;
  while (!line.empty()) {
    auto const end = line.find(' ');
    out.push_back(line.substr(0, end));
    line = end == std::string_view::npos ? std::string_view() : line.substr(end + 1);
  }
  return out;
}

}  // namespace

std::string to_text(Pin const& pin) {
  return std::string(pin_heading) + " " + pin.mesh + " " + pin.key.hex() + " " + std::to_string(pin.pinned_at_s) + "\n";
}

base::Result<Pin> parse_pin(std::string_view text) {
  auto const words = words_of(text.substr(0, text.find('\n')));
  Pin out;
  if (words.size() == 5 && text.starts_with(pin_heading) && !words[2].empty()) {
    auto const key = VerifyKey::from_hex(words[3]);
    auto const* const last = words[4].data() + words[4].size();
    auto const [stop, bad] = std::from_chars(words[4].data(), last, out.pinned_at_s);
    if (key && bad == std::errc() && stop == last) {
      out.mesh = std::string(words[2]);
      out.key = *key;
      return out;
    }
  }
  return base::fail(errc::bad_state, "not 'sovereign-mesh 1 MESH KEY SECONDS'");
}

base::Result<std::optional<Pin>> read_pin(std::string const& file) {
  auto const text = process::read_file(file, 4096);
  if (!text) {
    if (text.error().code == boost::system::errc::no_such_file_or_directory) {
      return std::optional<Pin>();
    }
    return text.error();
  }
  auto pin = parse_pin(*text);
  if (!pin) {
    return base::fail(errc::bad_state, file + ": " + pin.error().detail);
  }
  return std::optional<Pin>(*pin);
}

SignedWorld sign(plan::WorldDocument const& document, SigningKey const& key) {
  SignedWorld out{plan::to_json(document), {}};
  out.signature = key.sign(std::string(domain) + out.text);
  return out;
}

std::string to_json(SignedWorld const& world) {
  if (world.signature.empty()) {
    return world.text;
  }
  return json::serialize(json::object{{"signed", world.text}, {"signature", world.signature}});
}

base::Result<SignedWorld> parse_signed_world(std::string_view text) {
  if (text.size() > size_limit) {
    return base::fail(errc::bad_form, "it is larger than " + std::to_string(size_limit) + " bytes");
  }
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 8;
  auto const value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error || !value.is_object()) {
    return base::fail(errc::bad_form, error ? "it is not JSON: " + error.message() : "it is not a JSON object");
  }
  auto const* inner = value.get_object().if_contains("signed");
  if (inner == nullptr) {
    return SignedWorld{std::string(text), {}};
  }
  auto const* signature = value.get_object().if_contains("signature");
  if (!inner->is_string() || signature == nullptr || !signature->is_string()) {
    return base::fail(errc::bad_form, "'signed' and 'signature' are to be texts");
  }
  return SignedWorld{std::string(inner->get_string()), std::string(signature->get_string())};
}

base::Result<plan::WorldDocument> open_world(SignedWorld const& world, std::optional<Pin> const& pin,
                                             std::int64_t now_s, std::int64_t used) {
  if (!pin) {
    return plan::parse_world_document(world.text);
  }
  if (world.signature.empty()) {
    return base::fail(errc::forged, "it is not signed");
  }
  if (!pin->key.verifies(std::string(domain) + world.text, world.signature)) {
    return base::fail(errc::forged, "it is not signed by the key that was pinned when this node joined");
  }
  auto document = plan::parse_world_document(world.text);
  if (!document) {
    return document.error();
  }
  if (document->mesh != pin->mesh) {
    return base::fail(errc::other_mesh,
                      "it is of the mesh '" + document->mesh + "', this node is of '" + pin->mesh + "'");
  }
  bool const clock_is_set = now_s + clock_tolerance_s >= pin->pinned_at_s;
  if (clock_is_set && document->revision > used && document->issued_at_s > now_s + clock_tolerance_s) {
    return base::fail(errc::future,
                      "it is dated " + std::to_string(document->issued_at_s - now_s) + " s after this machine's clock");
  }
  return document;
}

}  // namespace signed_world
