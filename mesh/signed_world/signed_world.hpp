// A world document as it travels: its JSON and the controller's signature over exactly these bytes.
//
// Opening asks, in this order: is it signed by the pinned key, for the pinned mesh, and not from the future. Whether it
// is newer than the one in use is the agent's question. A machine that never joined has no pin: then an unsigned world
// of its own operator is all there is, and it is taken as it stands.
//
// Threads: plain values and pure functions.
#pragma once

#include "mesh/plan/world.hpp"
#include "mesh/signed_world/signing_key.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace signed_world {

// Clocks of two machines that are both right differ by less than this.
inline constexpr std::int64_t clock_tolerance_s = 300;

struct SignedWorld {
  std::string text;       // plan::to_json of the document
  std::string signature;  // hex; empty: nobody signed it
  bool operator==(SignedWorld const&) const = default;
};

// What a node knows of its mesh from the day it joined; a file beside its identity.
struct Pin {
  VerifyKey key;
  std::string mesh;              // the random name of the mesh
  std::int64_t pinned_at_s = 0;  // by the controller's clock
  bool operator==(Pin const&) const = default;
};
std::string to_text(Pin const& pin);
base::Result<Pin> parse_pin(std::string_view text);  // errc::bad_state
// nullopt: there is no such file. errc::bad_state: it is there and is no pin.
base::Result<std::optional<Pin>> read_pin(std::string const& file);

SignedWorld sign(plan::WorldDocument const& document, SigningKey const& key);

// {"signed":"...","signature":"..."}. Reading also takes a bare world document, as an unsigned one. errc::bad_form.
std::string to_json(SignedWorld const& world);
base::Result<SignedWorld> parse_signed_world(std::string_view json);

// errc::forged, other_mesh, future; plan::errc::bad_document. `pin` unset: the signature is not looked at. What was
// used here already, up to the revision `used`, cannot be from the future: then it is the clock that is behind.
base::Result<plan::WorldDocument> open_world(SignedWorld const& world, std::optional<Pin> const& pin,
                                             std::int64_t now_s, std::int64_t used = -1);

}  // namespace signed_world
