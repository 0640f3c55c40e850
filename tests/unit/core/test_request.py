from dayfly_core.request import our_users


def test_our_users_are_the_two_accounts_of_our_own_namespace() -> None:
    assert our_users("ends") == {
        "system:serviceaccount:ends:dayfly-admission",
        "system:serviceaccount:ends:dayfly-operator",
    }
