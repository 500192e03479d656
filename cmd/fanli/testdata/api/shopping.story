# A client makes a user, who shops, gets the money and withdraws it.
> GET health
> GET me
! key acme
> GET me
> POST users
> {"external_id":"u-1"}
> POST users
> {"external_id":"u-1","locale":"en"}
@ X-Fanli-User: u-1
> GET wallet
> GET orders
> POST links
> {"text":"看看这个 https://item.jd.com/100012043970.html 喜欢吗"}
! buy
> GET orders
! receive
! settle
> GET orders/1
> GET wallet
> GET statement?limit=1
> GET statement?limit=1&cursor=NEXT
# Nobody gets money without an account, and a key makes one withdrawal.
@ Idempotency-Key: withdrawal-1
> POST withdrawals
> {"amount_fen":100}
@ Accept-Language: en
> POST withdrawals
> {"amount_fen":100}
@ Accept-Language:
> GET payee
> PUT payee
> {"method":"alipay","account":"13800138000","name":"王小明"}
> PUT payee
> {"method":"alipay","account":"无","name":"王小明"}
> POST withdrawals
> {"amount_fen":50}
> POST withdrawals
> {"amount_fen":100}
> POST withdrawals
> {"amount_fen":100}
> POST withdrawals
> {"amount_fen":101}
@ Idempotency-Key: withdrawal-2
> POST withdrawals
> {"all":true}
> GET withdrawals
! advance 1m
> GET withdrawals
> GET wallet
> POST withdrawals/1/cancel
> POST withdrawals/7/cancel
# Another order is claimed by its number.
> POST claims
> {"number":"3141592653589793"}
> POST claims
> {"number":"abc"}
> POST claims/1/proof
> {"paid_fen":5000,"day":"2026-01-15"}
> POST claims/1/appeal
> {"words":"it is mine"}
> GET claims
# The goods go back.
! refund
> GET orders/1
> GET wallet
> GET statement
@ Idempotency-Key: withdrawal-3
> POST withdrawals
> {"all":true}
