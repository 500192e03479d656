# What can be pasted, and what is said where there is nothing.
! key acme
> POST users
> {"external_id":"u-1","locale":"en"}
@ X-Fanli-User: u-1
@ Accept-Language: en
> POST links
> {"text":"https://item.jd.com/100012043970.html and https://mobile.yangkeduo.com/goods.html?goods_id=445566778801 and https://item.jd.com/199912043970.html"}
> POST links
> {"text":"https://item.jd.com/199912043970.html"}
> POST links
> {"text":"https://example.com/x"}
> POST links
> {"text":"just words"}
> POST links
> {"text":"x","who":"me"}
> GET nothing
