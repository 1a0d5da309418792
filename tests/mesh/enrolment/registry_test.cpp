#include "mesh/enrolment/registry.hpp"

#include "mesh/internal_ca/credentials.hpp"
#include "mesh/members/members.hpp"
#include "mesh/members/spent_tokens.hpp"

#include <gtest/gtest.h>

namespace {

constexpr std::int64_t now_s = 1'800'000'000;

class Registry : public testing::Test {
 protected:
  Registry() : database_(database::Database::open("sqlite://:memory:", {enrolment::schema()}).value()) {}

  enrolment::Token issue(std::string const& node, std::int64_t uses = 1, std::int64_t at_s = now_s) {
    return issue_on({node, at_s + 3600, uses}, at_s);
  }
  enrolment::Token issue_on(enrolment::TokenTerms const& terms, std::int64_t at_s = now_s) {
    auto token = enrolment::Token::generate(std::string(64, 'a'), std::string(64, 'b'));
    EXPECT_TRUE(enrolment::record_token(*database_, token, terms, at_s));
    return token;
  }
  enrolment::JoinRequest operator_request(enrolment::Token const& token, std::string const& name) {
    enrolment::JoinRequest join;
    join.token_id = token.id;
    join.secret = token.secret;
    join.node = name;
    join.purpose = enrolment::Purpose::operator_of;
    join.csr_pem = internal_ca::make_csr_pem(internal_ca::make_key_pem().value(), name).value();
    return join;
  }

  enrolment::JoinRequest request(enrolment::Token const& token, std::string const& node,
                                 wireguard::PrivateKey const& key) {
    enrolment::JoinRequest join;
    join.token_id = token.id;
    join.secret = token.secret;
    join.node = node;
    join.public_key = wireguard::public_key(key).to_base64();
    join.csr_pem = internal_ca::make_csr_pem(internal_ca::make_key_pem().value(), node).value();
    join.proof = prove(key, join);
    return join;
  }

  std::string prove(wireguard::PrivateKey const& key, enrolment::JoinRequest const& join) {
    return enrolment::proof_of_possession(key, wireguard::public_key(controller_), join.token_id, join.node,
                                          join.csr_pem)
        .value();
  }

  boost::system::error_code admit(enrolment::JoinRequest const& join, std::int64_t at_s = now_s) {
    auto const result = enrolment::admit(*database_, join, controller_, places_, at_s);
    return result ? boost::system::error_code() : result.error().code;
  }

  std::unique_ptr<database::Database> database_;
  enrolment::Places const places_ = {
      {"ams-1", {"central", ""}}, {"ams-2", {"edge", ""}}, {"red-1", {"edge", "red"}}, {"red-2", {"edge", "red"}}};
  wireguard::PrivateKey const controller_ = wireguard::PrivateKey::generate();
  wireguard::PrivateKey const key_ = wireguard::PrivateKey::generate();
};

TEST_F(Registry, AMemberThatJoinsAnewStaysDrainedUntilItIsRemoved) {
  auto const draining = [this] { return members::nodes(*database_).value().at(0).draining; };
  ASSERT_FALSE(admit(request(issue("ams-1"), "ams-1", key_)));
  ASSERT_TRUE(members::set_draining(*database_, "ams-1", true));
  EXPECT_FALSE(admit(request(issue(""), "ams-1", key_)));
  EXPECT_TRUE(draining()) << "with the same key";
  EXPECT_FALSE(admit(request(issue("ams-1"), "ams-1", wireguard::PrivateKey::generate())));
  EXPECT_TRUE(draining()) << "on another machine";
}

TEST_F(Registry, TheKeyOfACertificateIsLearntWhenOneMachineAloneEverHadTheName) {
  auto const learnt = [this](std::string const& name) {
    auto const result = enrolment::learn_certificate_key(*database_, name, "key");
    return result ? boost::system::error_code() : result.error().code;
  };
  ASSERT_FALSE(admit(request(issue("ams-1"), "ams-1", key_)));
  EXPECT_FALSE(learnt("ams-1"));
  ASSERT_FALSE(admit(request(issue("ams-1"), "ams-1", key_)));
  EXPECT_FALSE(learnt("ams-1")) << "twice by the same machine";
  ASSERT_FALSE(admit(request(issue("ams-1"), "ams-1", wireguard::PrivateKey::generate())));
  EXPECT_EQ(learnt("ams-1"), enrolment::errc::taken);
  for (int i = 0; i < 2; ++i) {
    enrolment::TokenTerms terms{"", now_s + 3600, 1};
    terms.purpose = enrolment::Purpose::operator_of;
    ASSERT_FALSE(admit(operator_request(issue_on(terms), "ann.operator")));
    EXPECT_EQ(learnt("ann.operator"), i == 0 ? boost::system::error_code() : enrolment::errc::taken);
  }
}

TEST_F(Registry, TokensAreForgottenSomeTimeAfterTheirEnd) {
  auto const used = issue("");
  auto const unused = issue("");
  auto const join = request(used, "ams-1", key_);
  ASSERT_FALSE(admit(join));
  auto const end_s = now_s + 3600 + members::spent_tokens_kept_s;
  ASSERT_TRUE(members::forget_spent_tokens(*database_, end_s));
  EXPECT_EQ(enrolment::tokens(*database_).value().size(), 2U);
  auto const present = issue("", 1, end_s);
  ASSERT_TRUE(members::forget_spent_tokens(*database_, end_s + 1));
  auto const left = enrolment::tokens(*database_).value();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].id, present.id);
  EXPECT_EQ(admit(join, end_s + 1), enrolment::errc::bad_token);
  EXPECT_EQ(admit(request(unused, "ams-2", key_), end_s + 1), enrolment::errc::bad_token);
  EXPECT_FALSE(enrolment::certificate_keys(*database_).value().empty()) << "the name is known as before";
}

TEST_F(Registry, TokensAreKeptAsLongAsTheyTellHowOftenANameJoined) {
  ASSERT_FALSE(admit(request(issue("ams-1"), "ams-1", key_)));
  ASSERT_FALSE(admit(request(issue("ams-1"), "ams-1", wireguard::PrivateKey::generate())));
  auto const legacy = [](database::Transaction& transaction) -> base::Result<void> {
    auto const deleted = transaction.execute("DELETE FROM enrolment_certificate", {});
    return deleted ? base::Result<void>() : base::Result<void>(deleted.error());
  };
  ASSERT_TRUE(database_->write(legacy));
  ASSERT_TRUE(members::forget_spent_tokens(*database_, now_s * 2));
  EXPECT_EQ(enrolment::learn_certificate_key(*database_, "ams-1", "key").error().code, enrolment::errc::taken);
}

TEST_F(Registry, ATokenAdmitsOnceAndAReplayOfTheSameJoinGetsTheSameAnswer) {
  auto const token = issue("");
  auto const join = request(token, "ams-1", key_);
  EXPECT_FALSE(admit(join));
  EXPECT_FALSE(admit(join)) << "the answer may have been lost";
  EXPECT_EQ(admit(request(token, "ams-2", key_)), enrolment::errc::bad_token);
  auto const nodes = members::nodes(*database_).value();
  ASSERT_EQ(nodes.size(), 1U);
  EXPECT_EQ(nodes[0].public_key, wireguard::public_key(key_).to_base64());
  EXPECT_EQ(enrolment::tokens(*database_).value()[0].used, 1);
}

TEST_F(Registry, AWrongSecretAnUnknownAnExpiredAndARevokedTokenLookAlike) {
  auto const token = issue("");
  auto forged = token;
  forged.secret = std::string(64, '0');
  EXPECT_EQ(admit(request(forged, "ams-1", key_)), enrolment::errc::bad_token);
  EXPECT_EQ(admit(request(enrolment::Token::generate("x", "y"), "ams-1", key_)), enrolment::errc::bad_token);
  EXPECT_EQ(admit(request(token, "ams-1", key_), now_s + 3600), enrolment::errc::bad_token);
  ASSERT_TRUE(enrolment::revoke_token(*database_, token.id));
  EXPECT_EQ(admit(request(token, "ams-1", key_)), enrolment::errc::bad_token);
  EXPECT_TRUE(members::nodes(*database_).value().empty());
}

TEST_F(Registry, ABoundTokenIsForItsNodeAlone) {
  auto const token = issue("ams-1");
  EXPECT_EQ(admit(request(token, "ams-2", key_)), enrolment::errc::wrong_node);
  EXPECT_FALSE(admit(request(token, "ams-1", key_)));
}

TEST_F(Registry, TheTopologyMustNameTheNodeAndNothingIsBurntOtherwise) {
  auto const token = issue("");
  EXPECT_EQ(admit(request(token, "stranger", key_)), enrolment::errc::wrong_node);
  EXPECT_EQ(enrolment::tokens(*database_).value()[0].used, 0);
}

TEST_F(Registry, AThiefOfATokenCannotShowAKeyItDoesNotHold) {
  auto join = request(issue(""), "ams-1", key_);
  join.public_key = wireguard::public_key(wireguard::PrivateKey::generate()).to_base64();
  EXPECT_EQ(admit(join), enrolment::errc::bad_proof);
  join = request(issue(""), "ams-1", key_);
  join.csr_pem = internal_ca::make_csr_pem(internal_ca::make_key_pem().value(), "ams-1").value();
  EXPECT_EQ(admit(join), enrolment::errc::bad_proof) << "the proof binds the certificate request";
  join.csr_pem = internal_ca::make_csr_pem(internal_ca::make_key_pem().value(), "ams-2").value();
  join.proof = prove(key_, join);
  EXPECT_EQ(admit(join), enrolment::errc::bad_request);
}

TEST_F(Registry, OnlyATokenBoundToTheNameReplacesAMembersKey) {
  EXPECT_FALSE(admit(request(issue(""), "ams-1", key_)));
  auto const other = wireguard::PrivateKey::generate();
  EXPECT_EQ(admit(request(issue("", 5), "ams-1", other)), enrolment::errc::taken);
  EXPECT_FALSE(admit(request(issue("ams-1"), "ams-1", other)));
  EXPECT_EQ(members::nodes(*database_).value()[0].public_key, wireguard::public_key(other).to_base64());
}

TEST_F(Registry, ARemovedNodeStaysRemovedWhateverOldTokensSay) {
  auto const old = request(issue("", 9), "ams-1", key_);
  EXPECT_FALSE(admit(old));
  ASSERT_TRUE(members::remove_node(*database_, "ams-1", now_s + 10));
  EXPECT_EQ(admit(old, now_s + 20), enrolment::errc::removed);
  EXPECT_EQ(members::nodes(*database_).value()[0].removed_at_s, now_s + 10);
  EXPECT_FALSE(admit(request(issue("ams-1", 1, now_s + 30), "ams-1", key_), now_s + 40));
  EXPECT_EQ(members::nodes(*database_).value()[0].removed_at_s, 0);
  EXPECT_FALSE(members::remove_node(*database_, "ams-2", now_s)) << "ams-2 never joined";
}

TEST_F(Registry, EveryChangeOfMembershipRaisesTheRevision) {
  auto const before = database_->revision();
  EXPECT_FALSE(admit(request(issue(""), "ams-1", key_)));
  auto const joined = database_->revision();
  EXPECT_GT(joined, before);
  ASSERT_TRUE(members::remove_node(*database_, "ams-1", now_s));
  EXPECT_GT(database_->revision(), joined);
}

TEST_F(Registry, AUsedTokenYieldsNothingAfterItsTimeOrOnceAnotherMachineTookTheName) {
  auto const first = issue("ams-1");
  auto const join = request(first, "ams-1", key_);
  EXPECT_FALSE(admit(join));
  EXPECT_FALSE(admit(join, now_s + 3599)) << "the answer may have been lost";
  EXPECT_EQ(admit(join, now_s + 3600), enrolment::errc::bad_token);
  EXPECT_FALSE(admit(request(issue("ams-1"), "ams-1", wireguard::PrivateKey::generate())));
  EXPECT_EQ(admit(join), enrolment::errc::bad_token) << "the machine that was replaced";
}

TEST_F(Registry, ATokenForOneRoleSegmentOrAddressIsForNoOther) {
  auto terms = enrolment::TokenTerms{"", now_s + 3600, 9};
  terms.role = "edge";
  EXPECT_EQ(admit(request(issue_on(terms), "ams-1", key_)), enrolment::errc::wrong_node);
  EXPECT_FALSE(admit(request(issue_on(terms), "ams-2", wireguard::PrivateKey::generate())));

  terms = {"", now_s + 3600, 9};
  terms.segment = "red";
  auto const red = issue_on(terms);
  EXPECT_EQ(admit(request(red, "ams-1", key_)), enrolment::errc::wrong_node);
  EXPECT_FALSE(admit(request(red, "red-1", wireguard::PrivateKey::generate())));
  EXPECT_EQ(admit(request(issue("", 9), "red-2", key_)), enrolment::errc::wrong_node)
      << "a token that names neither node nor segment is the platform's";
  EXPECT_FALSE(admit(request(issue("red-2"), "red-2", wireguard::PrivateKey::generate())));

  terms = {"ams-1", now_s + 3600, 9};
  for (auto const& [bound, from, good] : {std::tuple("198.51.100.0/24", "198.51.101.1", false),
                                          {"198.51.100.0/24", "", false},
                                          {"2001:db8::/32", "198.51.100.1", false},
                                          {"2001:db8:8000::/33", "2001:db8:7fff::1", false},
                                          {"198.51.100.0/25", "198.51.100.127", true},
                                          {"198.51.100.7", "::ffff:198.51.100.7", true},
                                          {"2001:db8::/32", "2001:db8:1::7", true}}) {
    terms.address = bound;
    auto join = request(issue_on(terms), "ams-1", key_);
    join.from = from;
    EXPECT_EQ(!admit(join), good) << bound << " " << from;
  }
}

TEST_F(Registry, AKeyIsOneNodesAlsoAfterItsRemoval) {
  auto const open = issue("", 9);
  EXPECT_FALSE(admit(request(open, "ams-1", key_)));
  EXPECT_EQ(admit(request(open, "ams-2", key_)), enrolment::errc::taken);
  ASSERT_TRUE(members::remove_node(*database_, "ams-1", now_s + 1));
  EXPECT_EQ(admit(request(open, "ams-2", key_), now_s + 2), enrolment::errc::taken);
  EXPECT_FALSE(admit(request(open, "ams-2", wireguard::PrivateKey::generate()), now_s + 2));
}

TEST_F(Registry, ATokenOfOnePurposeIsOfNoUseForAnother) {
  auto terms = enrolment::TokenTerms{"alice.operator", now_s + 3600, 9};
  terms.purpose = enrolment::Purpose::operator_of;
  EXPECT_EQ(admit(operator_request(issue("", 9), "alice.operator")), enrolment::errc::wrong_node);
  EXPECT_EQ(admit(request(issue_on(terms), "ams-1", key_)), enrolment::errc::wrong_node);
  auto const own = issue_on(terms);
  EXPECT_EQ(admit(operator_request(own, "bob.operator")), enrolment::errc::wrong_node);
  EXPECT_EQ(admit(operator_request(own, "ams-1")), enrolment::errc::bad_request) << "not a node's certificate";
  EXPECT_FALSE(admit(operator_request(own, "alice.operator")));
  EXPECT_EQ(admit(operator_request(own, "alice.operator")), enrolment::errc::bad_token) << "once";
  EXPECT_TRUE(members::nodes(*database_).value().empty()) << "an operator is no node";
  EXPECT_EQ(members::operators(*database_).value(), std::set<std::string>{"alice.operator"});
}

TEST_F(Registry, AKeyThatWasReplacedOrRemovedIsRememberedUntilItIsAMembersAgain) {
  auto const old = wireguard::public_key(key_).to_base64();
  EXPECT_FALSE(admit(request(issue("ams-1"), "ams-1", key_)));
  EXPECT_TRUE(members::removed_keys(*database_).value().empty());
  EXPECT_FALSE(admit(request(issue("ams-1"), "ams-1", wireguard::PrivateKey::generate())));
  EXPECT_EQ(members::removed_keys(*database_).value(), std::set<std::string>{old});
  ASSERT_TRUE(members::remove_node(*database_, "ams-1", now_s + 1));
  EXPECT_EQ(members::removed_keys(*database_).value().size(), 2U);
  EXPECT_FALSE(admit(request(issue("ams-1", 1, now_s + 2), "ams-1", key_), now_s + 3));
  EXPECT_EQ(members::removed_keys(*database_).value().count(old), 0U);
}

}  // namespace
