"""A method that calls super(), on objects that exist already."""


class Account:
    def __init__(self, balance):
        self.balance = balance

    def fee(self, amount):
        return amount // 100


class Business(Account):
    rate = None

    def fee(self, amount):
        base = super().fee(amount)
        return base + amount * self.rate  # @fails


accounts = [Business(10), Business(20), Account(30)]
bound = accounts[0].fee
print("fees", bound(1000), [account.fee(500) for account in accounts])
