package simulator

func (t *Telegram) getChat(p params) (any, error) {
	c, err := t.chatOf(p)
	if err != nil {
		return nil, err
	}
	if c.kind == "private" && !c.started && !t.shareGroup(c.id) || c.kind != "private" && c.bot == "" {
		return nil, badRequest("chat not found")
	}
	w := t.wireChat(c)
	w.AccentColorID, w.MaxReactionCount = 1, 11
	return w, nil
}

// member says what somebody is in a chat.
func (t *Telegram) member(c *chat, user int64) wireMember {
	u := t.wireUser(user)
	if u == nil {
		u = &wireUser{ID: user, FirstName: "Somebody"}
	}
	m := wireMember{Status: "left", User: *u}
	switch {
	case user == t.bot.ID:
		return t.botMember(c, c.bot)
	case user == c.owner:
		no := false
		m.Status, m.IsAnonymous = "creator", &no
	case c.members[user]:
		m.Status = "member"
	}
	return m
}

// botMember is the bot's own membership, for a status as chat.bot has it.
func (t *Telegram) botMember(c *chat, status string) wireMember {
	m := wireMember{Status: status, User: t.botUser()}
	switch status {
	case "":
		m.Status = "left"
	case "muted":
		m.Status = "restricted"
	case kicked:
		var forever int64
		m.UntilDate = &forever
	case "administrator":
		yes := true
		if c.kind == "channel" {
			m.CanPostMessages, m.CanEditMessages = &yes, &yes
		}
	}
	return m
}

func (t *Telegram) getChatMember(p params) (any, error) {
	c, err := t.chatOf(p)
	if err != nil {
		return nil, err
	}
	user := p.integer("user_id")
	if user == 0 {
		return nil, badRequest("invalid user_id specified")
	}
	if t.wireUser(user) == nil {
		return nil, badRequest("user not found")
	}
	return t.member(c, user), nil
}

func (t *Telegram) getChatAdministrators(p params) (any, error) {
	c, err := t.chatOf(p)
	if err != nil {
		return nil, err
	}
	if c.kind == "private" {
		return nil, badRequest("there are no administrators in the private chat")
	}
	admins := []wireMember{t.member(c, c.owner)}
	if c.bot == "administrator" {
		admins = append(admins, t.botMember(c, c.bot))
	}
	return admins, nil
}

func (t *Telegram) leaveChat(p params) (any, error) {
	c, err := t.chatOf(p)
	if err != nil {
		return nil, err
	}
	if c.kind == "private" {
		return nil, badRequest("chat member status can't be changed in private chats")
	}
	t.setBot(c, "left", t.bot.ID)
	return true, nil
}

// setBot changes what the bot is in a chat and tells it.
func (t *Telegram) setBot(c *chat, status string, by int64) {
	before := c.bot
	c.bot = status
	from := t.wireUser(by)
	if from == nil || before == status {
		return
	}
	t.push(wireUpdate{MyChatMember: &wireMemberUpdate{
		Chat: t.wireChat(c), From: *from, Date: t.now(), Old: t.botMember(c, before), New: t.botMember(c, status),
	}})
}
