#include "mesh/passing_on/kernel_rules.hpp"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace passing_on {
namespace {

class Message {
 public:
  Message(std::uint16_t type, std::uint16_t flags, fib_rule_hdr const& rule) : bytes_(NLMSG_LENGTH(sizeof rule)) {
    header_.nlmsg_type = type;
    header_.nlmsg_flags = flags;
    std::memcpy(bytes_.data() + NLMSG_HDRLEN, &rule, sizeof rule);
  }
  void put(std::uint16_t type, void const* data, std::size_t size) {
    rtattr attribute{};
    attribute.rta_type = type;
    attribute.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(size));
    auto const at = bytes_.size();
    bytes_.resize(at + RTA_SPACE(size));
    std::memcpy(bytes_.data() + at, &attribute, sizeof attribute);
    std::memcpy(bytes_.data() + at + RTA_LENGTH(0), data, size);
  }
  template <class Number>
  void put_number(std::uint16_t type, Number value) {
    put(type, &value, sizeof value);
  }
  std::vector<std::uint8_t> finish() {
    header_.nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &header_, sizeof header_);
    return std::move(bytes_);
  }

 private:
  nlmsghdr header_{};
  std::vector<std::uint8_t> bytes_;
};

std::uint32_t number(std::span<std::uint8_t const> data) {
  std::uint32_t out = 0;
  std::memcpy(&out, data.data(), std::min(data.size(), sizeof out));
  return out;
}

std::optional<wireguard::Address> address(std::span<std::uint8_t const> data) {
  if (data.size() == 4) {
    boost::asio::ip::address_v4::bytes_type raw{};
    std::memcpy(raw.data(), data.data(), raw.size());
    return boost::asio::ip::address_v4(raw);
  }
  if (data.size() == 16) {
    boost::asio::ip::address_v6::bytes_type raw{};
    std::memcpy(raw.data(), data.data(), raw.size());
    return boost::asio::ip::address_v6(raw);
  }
  return std::nullopt;
}

void take_attribute(Rule& out, std::uint16_t type, std::span<std::uint8_t const> data, fib_rule_hdr const& header) {
  std::uint8_t const whole = header.family == AF_INET6 ? 128 : 32;
  switch (type) {
    case FRA_PRIORITY:
      out.priority = number(data);
      break;
    case FRA_TABLE:
      out.table = number(data);
      break;
    case FRA_PROTOCOL:
      out.protocol = static_cast<std::uint8_t>(number(data));
      break;
    case FRA_IIFNAME:
      out.iif = std::string(static_cast<char const*>(static_cast<void const*>(data.data())),
                            ::strnlen(static_cast<char const*>(static_cast<void const*>(data.data())), data.size()));
      break;
    case FRA_DST:
      out.to = header.dst_len == whole ? address(data) : std::nullopt;
      out.others = out.others || !out.to;
      break;
    case FRA_SUPPRESS_PREFIXLEN:
      out.without_default = number(data) == 0;
      break;
    case FRA_SRC:
    case FRA_FWMARK:
    case FRA_OIFNAME:
    case FRA_UID_RANGE:
    case FRA_IP_PROTO:
    case FRA_SPORT_RANGE:
    case FRA_DPORT_RANGE:
    case FRA_L3MDEV:
      out.others = true;
      break;
    default:
      break;
  }
}

}  // namespace

std::vector<std::uint8_t> request(Step const& step) {
  Rule const& rule = step.rule;
  fib_rule_hdr header{};
  header.family = rule.v6 ? AF_INET6 : AF_INET;
  header.action = FR_ACT_TO_TBL;
  header.table = static_cast<std::uint8_t>(rule.table);
  header.dst_len = rule.to ? (rule.v6 ? 128 : 32) : 0;
  std::uint16_t const flags = NLM_F_REQUEST | NLM_F_ACK | (step.add ? NLM_F_CREATE | NLM_F_EXCL : 0);
  Message out(step.add ? RTM_NEWRULE : RTM_DELRULE, flags, header);
  out.put_number(FRA_PRIORITY, rule.priority);
  out.put_number(FRA_TABLE, rule.table);
  out.put_number(FRA_PROTOCOL, rule.protocol);
  if (!rule.iif.empty()) {
    out.put(FRA_IIFNAME, rule.iif.c_str(), rule.iif.size() + 1);
  }
  if (rule.to && rule.v6) {
    auto const raw = rule.to->to_v6().to_bytes();
    out.put(FRA_DST, raw.data(), raw.size());
  } else if (rule.to) {
    auto const raw = rule.to->to_v4().to_bytes();
    out.put(FRA_DST, raw.data(), raw.size());
  }
  if (rule.without_default) {
    out.put_number(FRA_SUPPRESS_PREFIXLEN, std::uint32_t{0});
  }
  return out.finish();
}

std::optional<Rule> parse_rule(std::span<std::uint8_t const> message) {
  nlmsghdr netlink{};
  fib_rule_hdr header{};
  if (message.size() < NLMSG_LENGTH(sizeof header)) {
    return std::nullopt;
  }
  std::memcpy(&netlink, message.data(), sizeof netlink);
  std::memcpy(&header, message.data() + NLMSG_HDRLEN, sizeof header);
  if (netlink.nlmsg_type != RTM_NEWRULE || (header.family != AF_INET && header.family != AF_INET6)) {
    return std::nullopt;
  }
  Rule out;
  out.v6 = header.family == AF_INET6;
  out.table = header.table;
  out.others = header.action != FR_ACT_TO_TBL || header.tos != 0 || (header.flags & FIB_RULE_INVERT) != 0;
  auto rest = message.subspan(NLMSG_ALIGN(NLMSG_LENGTH(sizeof header)));
  while (rest.size() >= sizeof(rtattr)) {
    rtattr attribute{};
    std::memcpy(&attribute, rest.data(), sizeof attribute);
    if (attribute.rta_len < sizeof attribute || attribute.rta_len > rest.size()) {
      break;
    }
    auto const size = attribute.rta_len - static_cast<std::size_t>(RTA_LENGTH(0));
    take_attribute(out, attribute.rta_type, rest.subspan(RTA_LENGTH(0), size), header);
    rest = rest.subspan(std::min<std::size_t>(rest.size(), RTA_ALIGN(attribute.rta_len)));
  }
  return out;
}

base::Result<KernelRules> KernelRules::open() {
  auto socket = wireguard::netlink::Socket::open(NETLINK_ROUTE);
  return socket ? base::Result<KernelRules>(KernelRules(std::move(*socket))) : socket.error();
}

base::Result<std::vector<Rule>> KernelRules::list() {
  std::vector<Rule> out;
  auto const take = [&](std::span<std::uint8_t const> message) {
    if (auto rule = parse_rule(message)) {
      out.push_back(std::move(*rule));
    }
  };
  for (std::uint8_t const family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
    fib_rule_hdr header{};
    header.family = family;
    auto const wanted = Message(RTM_GETRULE, NLM_F_REQUEST | NLM_F_DUMP, header).finish();
    if (int const failed = socket_.exchange(wanted, take); failed != 0) {
      return wireguard::netlink::failure_of(failed, "listing the rules of policy routing");
    }
  }
  return out;
}

base::Result<void> KernelRules::apply(Step const& step) {
  int const failed = socket_.exchange(request(step), [](std::span<std::uint8_t const>) {});
  bool const so_already = failed == (step.add ? EEXIST : ENOENT);
  if (failed != 0 && !so_already) {
    return wireguard::netlink::failure_of(
        failed, step.add ? "adding a rule of policy routing" : "removing a rule of policy routing");
  }
  return {};
}

}  // namespace passing_on
