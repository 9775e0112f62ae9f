/** Frequent given names, lower case and without accents: enough of them that a column of persons has many, whatever the language. */
export const givenNames: ReadonlySet<string> = new Set(
  `aaron abdul abdullah abigail adam adrian adriana agnes ahmed aisha alain alan albert alejandra alejandro alessandra alessandro alex alexander alexandra alexandre alexis
  alfred ali alice alicia alison allison amanda amber amelia amina amit amy ana anastasia anders andre andrea andreas andrew angel angela angelo anita anja ann anna anne annette
  antoine anthony antonio anton antje ananya arjun armando arthur arturo ashley astrid ayse barbara bart beatriz ben benjamin bernard bernd bertrand beth betty bianca bill birgit
  bjorn bob boris brad bradley brandon brenda brian brigitte bruce bruno bryan caitlin camila camille carl carla carlos carmen carol carolina caroline catherine cecilia celine chad
  chantal charles charlotte chen cheryl chiara chloe chris christa christian christina christine christoph christophe christopher cindy claire clara claudia claudio colin connor corinne
  craig cristina crystal cynthia daisy dale damien dan daniel daniela danielle danny darren dave david dawn deborah debra deepak denis denise dennis derek diana diane diego dieter dimitri
  dirk dmitri dominic dominik dominique don donald donna dora doris dorothy douglas dylan edith eduardo edward elena eleanor eli elias elisa elisabeth elizabeth ella ellen emil emily emma
  emmanuel enrico enrique eric erica erik erika erin ernst esteban esther ethan eugene eva evan evelyn fabian fabio fatima fatma federico felipe felix fernanda fernando filip florence florian
  frances francesca francesco francis francisco franck frank franz fred frederic friedrich gabriel gabriela gary gemma george georg georges gerald gerard gerhard gianni gilles gina giovanni
  giulia giuseppe gloria gordon grace graham greg gregory greta guido guillaume gunter gustavo hamza hanna hannah hans harold harry hassan hector heidi heike heinz helen helena helene helga
  helmut henri henrik henry herbert hiroshi holly horst hugo hussein ian ibrahim ida ignacio igor ines ingrid irene iris irma isaac isabel isabella isabelle ivan jack jackie jacob jacqueline
  jacques jaime jake jakob james jamie jan jana jane janet janice jasmine jason javier jean jeff jeffrey jennifer jens jeremy jerome jerry jesse jessica jesus jill jim jimmy jo joan joanna joao
  joaquin joe joel joerg johan johann johanna johannes john johnny jon jonas jonathan jordan jorge jose josef joseph joshua josephine joyce juan juana juergen jules julia julian juliana julie
  julien julio jurgen justin kai kaori karen karim karin karl karla katarina kate katharina katherine kathleen kathryn katie katja katrin keith kelly ken kenji kenneth kevin khalid kim kimberly
  klaus kristen kristin kumar kurt kyle lars latoya laura lauren laurence laurent lea leah lee lena leo leon leonardo leonie leslie liam lina linda lisa liz logan lori lorenzo louis louise
  luc luca lucas lucia lucie lucy luigi luis luisa lukas luke lydia lynn madison magda mahmoud maja manfred manuel manuela marc marcel marcelo marco marcos marcus margaret margarita margot
  maria mariana marianne marie marina mario marion mark marko markus marlene marta martha martin martina martine mary massimo mateo mathias matteo matthew matthias maurice mauricio max maxime
  maya megan mehmet melanie melissa mercedes mia michael michaela michel michele michelle miguel mikael mike milan miriam mohamed mohammad mohammed molly monica monika monique morgan muhammad
  mustafa nadia nancy naomi natalia natalie nathalie nathan neha neil nelly nicholas nick nicola nicolas nicole niels nikita nikolai nils nina noah noemi nora norbert norma olaf oleg olga oliver
  olivia olivier omar oscar oskar otto pablo paige pamela paola paolo patricia patrick paul paula paulo pavel pedro peggy penelope peter petra philip philipp philippe phillip pierre pieter pilar
  piotr pooja priya rachel rafael rahul raj rajesh ralf ralph ramon randy raphael raquel raul ravi raymond rebecca regina reinhard renate rene ricardo riccardo richard rita rob robert roberta
  roberto robin rodrigo roger roland rolf roman ron ronald rosa rose rosemary ruben rudolf russell ruth ryan sabine sabrina sally salvatore sam samantha samira samuel sandra sandro sanjay sara
  sarah scott sean sebastian sergei sergio seth shannon sharon shirley silvia simon simone sofia sonia sophia sophie stacy stanley stefan stefania stefanie stella stephan stephane stephanie
  stephen steve steven stuart sunita susan susanne suzanne svetlana sven sylvia sylvie takashi tamara tania tanja tara tatiana teresa terry theo theresa therese thierry thomas tiffany tim
  timothy tina tobias todd tom tomas tommaso toni tony tracy travis tyler udo ulrich ursula uwe valentina valerie vanessa vera veronica veronika victor victoria vijay vikram vincent vincenzo
  virginia vladimir volker walter wayne wei wendy werner wilhelm will william wolfgang xavier yan yann yasmin yolanda yuki yusuf yves yvonne zachary zoe
  aditya akash amir anil anjali ankit anushka arnav aryan asha ashok ayaan bhavna chandra chirag dev devi dhruv divya fatimah gaurav gita gopal hari harsh ishaan ishita jaya jayesh karan kavita
  kiran kishore krishna lakshmi lalit madhu mahesh manish manoj meena mohan mukesh nakul nandini naresh naveen nikhil nisha nitin om pankaj pradeep prakash pranav prasad praveen rajeev rakesh ram
  ramesh rani ravindra rekha riya rohan rohit sachin sameer sandeep sanjana shankar shiv shreya shyam sneha sonal suman sunil suresh tanvi tara uday usha vandana varun vidya vinay vinod vishal vivaan yash
  adrianna agata agnieszka aleksander aleksandra andrzej anita antoni barbara bartosz beata bogdan dariusz dawid dominika elzbieta ewa filip franciszek grazyna grzegorz hubert iga igor iwona
  jacek jadwiga jakub janusz jerzy joanna julianna kacper kalina kamil kamila karol karolina katarzyna kazimierz kinga klara konrad krystyna krzysztof leszek lukasz maciej magdalena malgorzata
  marcin marek mariusz mateusz michal mieczyslaw mikolaj natalia oliwia oskar patryk pawel piotr przemyslaw radoslaw rafal ryszard sebastian slawomir stanislaw stefan szymon tadeusz tomasz tymon
  urszula weronika wiktor wiktoria witold wladyslaw wojciech zbigniew zofia zuzanna
  axel birger britt elsa fredrik goran gunilla gustav hakan ingvar jorgen karin kerstin kjell lennart magnus malin margareta mats mikael ove par per pia rune sigrid stig sture tage torbjorn ulla ulf
  bas bram daan eva femke fleur hendrik jasper jeroen joost joris kees lotte maarten marieke marijke niek pim rik roel ruud sander sanne sem sjoerd teun thijs tijn wouter
  caio caua davi emanuelly enzo gael heitor henrique isadora joao kaique larissa leticia luiz mariane matheus miguel murilo nicole otavio rafaela raquel thiago vitor yago
  alba amparo angelina aurelio azahara bautista belen candela consuelo dolores emilio encarnacion esperanza eusebio feliciano fermin gonzalo guadalupe inmaculada jacinto jordi josefa loida lorena
  macarena marcela maribel mireia nuria ofelia paco paloma pascual purificacion ramona reyes rocio rosario salud susana trinidad virgilio
  alderico amalia annibale benito biagio calogero carmelo domenico donatello fiamma flavio galileo gaetano gian gioacchino greco ippazio lamberto loredana ludovica massimiliano mirco nino
  ottavio pasquale piero raffaele rosaria salvatore silvio toto ugo vittoria
  capucine clemence gerard gilbert honore jeanne josette luce marcelle margaud noel odette paulette raymond roger simone suzanne timothee tristan xavier zacharie`.split(
    /\s+/,
  ),
);
