from reverie.waiting import give_way

give_way()  # before torch is loaded, as the command line does, for all that is compared
