#include "mesh/wireguard/error.hpp"

namespace wireguard {
namespace {

// Boost's base class has a protected, non-virtual destructor on purpose: a category is never deleted through it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
 public:
  [[nodiscard]] char const* name() const noexcept override { return "wireguard"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::bad_key:
        return "not a WireGuard key";
      case errc::bad_message:
        return "message not understood";
      case errc::not_supported:
        return "the kernel has no WireGuard";
      case errc::no_permission:
        return "not permitted";
      case errc::no_tun:
        return "/dev/net/tun is missing";
      case errc::no_program:
        return "wireguard-go did not start";
      case errc::port_in_use:
        return "UDP port in use";
      case errc::no_device:
        return "no such interface";
      case errc::foreign:
        return "the interface is not ours";
      case errc::rejected:
        return "change refused";
      case errc::unreachable:
        return "control socket does not answer";
    }
    return "unknown WireGuard error";
  }
};
#pragma GCC diagnostic pop

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static Category const category;
  return {static_cast<int>(code), category};
}

}  // namespace wireguard
